"""Compares the database with the log: every row that follows from the entries, in one pass over them.

Entries, tables and the comparison move in batches in the order of the indexes, so that memory stays flat and the first
difference has the lowest index of its batch. Tokens, accounts, and teams with their contacts, webhooks and
subscriptions are compared with their seals. Not derivable, and
compared elsewhere: the hash of the last record read (with Kafka, at take-over), numbers of refused records and
duplicates, and the rows of consumers (`yesser rebuild --compare`, `yesser audit commitments`).
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Final, NoReturn

from msgspec import MsgspecError

from consumers.proof.audit.derived import (
    RANGES_MAX,
    Derived,
    Numbers,
    RefusalRow,
    Row,
    derive,
    first_difference,
    stored_pairs,
)
from consumers.registrar.claims.fingerprints import PARTS, bucket_of
from consumers.registrar.claims.sealing import intact
from events.wire.texts import in_place_of, text_sha256, withheld_text
from infra.keys.seals import Seals
from infra.keys.team_seals import Table, TeamSeals
from infra.log.authority import Authority, Difference, TableDiffers, changes_in, differences
from infra.log.merkle import TileTree, leaf_hash
from infra.log.reader import ChangedEntry, entry_batches
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

BATCH_ROWS: Final = 8192
Progress = Callable[[int, int], None]
Look = Callable[[int, Sequence[bytes]], None]
_UNREADABLE: Final = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError, MsgspecError)
"""What parsing an entry that the registrar did not write may raise."""
_OF_TEAMS: Final[Mapping[Table, str]] = {
    "delivery.team": "teams",
    "delivery.endpoint": "endpoints",
    "delivery.subscription": "subscriptions",
}
"""Table → the query of its rows."""
_SQL: Final = queries("consumers.proof.database_audit", "database.sql")


@dataclass(slots=True)
class Compared:
    """What was compared: the entries, the rows by table, and how many objects of the catalog.

    `not_compared`: tables that nothing here can be compared with, and those whose rows live for hours, and whose seals
    are compared each time that they are used.
    """

    entries: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    objects: int = 0
    not_compared: list[str] = field(default_factory=lambda: ["console.approval", "console.session"])


@dataclass(frozen=True, slots=True)
class SealKeys:
    """The keys of the seals that an auditor has; None: not here."""

    accounts: Seals | None = None
    tokens: Sequence[Seals] | None = None
    teams: TeamSeals | None = None


NO_KEYS: Final = SealKeys()


async def compare_database(
    connection: Connection,
    signed_size: int,
    progress: Progress,
    look: Look = lambda first, entries: None,
    keys: SealKeys = NO_KEYS,
) -> Compared:
    """Raises `Tampered` at the first difference. To be called in one snapshot.

    `signed_size` is that of the newest checkpoint that is known outside the database. `look` gets the entries that were
    compared, with the index of the first.
    """
    size = await _require_segments(connection, signed_size)
    walk = await _Walk.begin(connection)
    async for first, entries in entry_batches(connection, 0, size, BATCH_ROWS):
        await walk.compare(first, entries)
        look(first, entries)
        progress(first + len(entries), size)
    await walk.compare_rest()
    if walk.withheld or walk.withheld_rows:
        await walk.compare_withheld(connection)
    walk.compared.rows[_SEALED_CLAIMS] = await compare_sealed_claims(connection, size)
    await _compare_state(connection, walk, size)
    await _compare_seals(connection, walk.compared, keys)
    return walk.compared


async def _require_segments(connection: Connection, signed_size: int) -> int:
    """The log's size: its segments have no gap, and none is missing at the end."""
    gap = await connection.fetchrow(_SQL["gap"])
    if gap is not None:
        found, due = gap["first_index"], gap["due"]
        _differ("log.segment", f"first_index {found}", found, due, min(found, due))
    state = await connection.fetchrow(_SQL["state"])
    assert state is not None
    size, entries = state["size"], state["entries_count"]
    if entries != size:
        _differ("log.state", "size", size, entries, min(size, entries))
    if size < signed_size:
        _differ("log.state", "size", size, f"{signed_size} or more: a checkpoint of this size was signed", size)
    if state["shipped_up_to"] > size:
        _differ("log.state", "shipped_up_to", state["shipped_up_to"], f"{size} or less", size)
    return int(size)


def derived_of(authority: Authority, index: int, raw: bytes) -> Derived:
    """What the next entry gives, also the authority. It agrees with its leaf, but both may have been changed: raises
    `ChangedEntry`."""
    try:
        authority.apply(changes_in(index, [raw]))
        return derive(index, raw)
    except _UNREADABLE as error:
        raise ChangedEntry(index, f"together with its leaf hash: no registrar writes such bytes: {error}") from error


class _Sorted:
    """The rows of a query in the order of their first column, an index."""

    def __init__(self, table: str, cursor: Any) -> None:
        self.table = table
        self.rows_count = 0
        self._cursor = cursor
        self._waiting: deque[Any] = deque()

    async def below(self, end: int | None) -> list[Any]:
        """The next rows whose index is below `end`; without it, one batch of the rest."""
        rows: list[Any] = []
        while True:
            while self._waiting and (end is None or self._waiting[0][0] < end):
                rows.append(self._waiting.popleft())
            if self._waiting or (end is None and rows):
                break
            self._waiting.extend(await self._cursor.fetch(BATCH_ROWS))
            if not self._waiting:
                break
        self.rows_count += len(rows)
        return rows


@dataclass(slots=True)
class _Walk:
    """One pass over the entries, with the tables beside them."""

    event_ids: _Sorted
    refusals: _Sorted
    runs: _Sorted
    checkpoints: _Sorted
    texts: _Sorted
    open_runs: list[Any] = field(default_factory=list)
    tree: TileTree = field(default_factory=TileTree)
    authority: Authority = field(default_factory=Authority)
    last: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Topic → offset and index of its last entry."""
    withheld: dict[tuple[int, str], tuple[int, str]] = field(default_factory=dict)
    """Index and member of a text → the first entry that withholds it, and when that was recorded."""
    withheld_rows: int = 0
    recorded: str = ""
    numbers: dict[str, Numbers] = field(default_factory=dict)
    overflowed: dict[str, int] = field(default_factory=dict)
    compared: Compared = field(default_factory=Compared)

    @classmethod
    async def begin(cls, connection: Connection) -> _Walk:
        async def rows_of(table: str, query: str) -> _Sorted:
            return _Sorted(table, await connection.cursor(_SQL[query]))

        walk = cls(
            await rows_of("log.event_id", "event_ids"),
            await rows_of("log.refusal", "refusals"),
            await rows_of("log.run", "runs"),
            await rows_of("log.checkpoint", "checkpoints"),
            await rows_of("log.text", "texts"),
        )
        rows = await connection.fetch(_SQL["sequences"])
        walk.overflowed = {r["agency"]: r["overflowed_index"] for r in rows if r["overflowed_index"] is not None}
        return walk

    async def compare(self, first: int, entries: Sequence[bytes]) -> None:
        """Compare the tables at these entries, and keep what is compared at the end."""
        end = first + len(entries)
        derived = [derived_of(self.authority, index, raw) for index, raw in enumerate(entries, first)]
        compared_tables = [
            first_difference(
                "log.run", await self._addresses(end), [(i, [d.topic, d.offset]) for i, d in enumerate(derived, first)]
            ),
            first_difference(
                "log.event_id",
                [(r["index"], [r["claim"], r["identity"]]) for r in await self.event_ids.below(end)],
                [(i, [*d.event_id]) for i, d in enumerate(derived, first) if d.event_id is not None],
            ),
            await self._compare_refusals(first, derived, end),
            await self._compare_texts(first, derived, end),
        ]
        if differing := [difference for difference in compared_tables if difference is not None]:
            raise TableDiffers(min(differing, key=lambda difference: difference.index or 0))
        await self._grow(entries, end)
        self._keep(first, derived)
        self.compared.entries = end

    async def compare_rest(self) -> None:
        """Rows beyond the last entry."""
        await self._grow([], self.compared.entries)
        for table in (self.runs, self.event_ids, self.refusals, self.checkpoints, self.texts):
            if rest := await table.below(None):
                _differ(table.table, f"index {rest[0][0]}", dict(rest[0]), None, rest[0][0])
            self.compared.rows[table.table] = table.rows_count
        if self.open_runs:
            run = self.open_runs[0]
            _differ("log.run", f"index {run['first_index']}", dict(run), None, self.compared.entries)

    async def _addresses(self, end: int) -> list[Row]:
        """The addresses that the runs give the indexes below `end`."""
        runs = [*self.open_runs, *await self.runs.below(end)]
        self.open_runs = [run for run in runs if run["first_index"] + run["entries_count"] > end]
        start = self.compared.entries
        rows = [row for run in runs for row in _addresses_of(run, start, end)]
        return sorted(rows, key=lambda row: row[0]) if len(runs) > 1 else rows

    async def _compare_refusals(self, first: int, derived: Sequence[Derived], end: int) -> Difference | None:
        rows = await self.refusals.below(end)
        names = [member.name for member in fields(RefusalRow)]
        difference = first_difference(
            "log.refusal",
            [(row["index"], RefusalRow(*(row[name] for name in names))) for row in rows],
            [(i, d.refusal) for i, d in enumerate(derived, first) if d.refusal is not None],
        )
        if difference is not None:
            return difference
        kept_rows = [row for row in rows if row["is_kept"]]
        return first_difference(
            "log.dead_letter",
            [(row["index"], row["sha256"]) for row in kept_rows],
            [(row["index"], derived[row["index"] - first].sha256) for row in kept_rows],
        )

    async def _compare_texts(self, first: int, derived: Sequence[Derived], end: int) -> Difference | None:
        """Each text that an entry has the hash of is here, and gives its hash, unless it is withheld."""
        rows = await self.texts.below(end)
        self.withheld_rows += sum(row["withheld_index"] is not None for row in rows)
        for index, entry in enumerate(derived, first):
            if entry.withholds is not None and entry.withholds[0] < index:
                self.withheld.setdefault(entry.withholds, (index, entry.recorded))
        return first_difference(
            "log.text",
            [(row["index"], (row["member"], _text_hash(row))) for row in rows],
            [(index, text) for index, entry in enumerate(derived, first) for text in entry.texts],
        )

    async def compare_withheld(self, connection: Connection) -> None:
        """What the entries withhold is withheld, and nothing else."""
        indexes, members = [index for index, _ in self.withheld], [member for _, member in self.withheld]
        rows = await connection.fetch(_SQL["texts_to_withhold"], indexes, members)
        for row in rows:
            by_index, recorded = self.withheld[row["index"], row["member"]]
            shown = withheld_text(recorded, by_index)
            if row["withheld_index"] != by_index or row["value"] != in_place_of(row["value"], shown):
                expected = f"withheld by entry {by_index}"
                _differ("log.text", f"index {row['index']}, {row['member']}", dict(row), expected, row["index"])
        if self.withheld_rows != len(rows):
            _differ("log.text", "withheld texts", self.withheld_rows, len(rows), None)

    async def _grow(self, entries: Sequence[bytes], end: int) -> None:
        """Append the entries to the tree, and compare every checkpoint's size and root."""
        leaves, start = [leaf_hash(entry) for entry in entries], self.tree.size
        for row in await self.checkpoints.below(end + 1):
            size = row["size"]
            if size >= self.tree.size:
                self.tree.append(leaves[self.tree.size - start : size - start])
            stated = row["note"].split("\n")[1:3]
            expected = [str(size), base64.b64encode(self.tree.root()).decode()]
            if stated != expected:
                _differ("log.checkpoint", f"size {size}", stated, expected, max(0, size - 1))
        self.tree.append(leaves[self.tree.size - start :])

    def _keep(self, first: int, derived: Sequence[Derived]) -> None:
        for index, entry in enumerate(derived, first):
            self.last[entry.topic] = entry.offset, index
            if entry.sequence is not None and index < self.overflowed.get(entry.agency, index + 1):
                numbers = self.numbers.setdefault(entry.agency, Numbers())
                numbers.add(entry.sequence)
                if len(numbers.accepted) > RANGES_MAX:
                    _differ("log.sequence_state", entry.agency, "no overflowed_index", "an overflowed_index", index)
        self.recorded = derived[-1].recorded


async def _compare_state(connection: Connection, walk: _Walk, size: int) -> None:
    """Compare what is written once for all entries."""
    fetch = connection.fetch
    state = await connection.fetchrow(_SQL["state"])
    if state is not None and state["recorded"] != walk.recorded:
        _differ("log.state", "recorded", state["recorded"], walk.recorded, size - 1)
    if authority_differences := differences(
        walk.authority, await fetch(_SQL["agencies"]), await fetch(_SQL["suspensions"])
    ):
        raise TableDiffers(authority_differences[0])
    if (row := await connection.fetchrow(_SQL["request_without_event"])) is not None:
        _differ("platform.suspension", row["agency"], {"reason": row["reason"], "since": str(row["since"])}, None, None)
    if (row := await connection.fetchrow(_SQL["wrong_duplicate"], size)) is not None:
        key, expected = f"{row['topic']}/0/{row['offset']}", "an offset without an entry, of an accepted event"
        _differ("log.duplicate", key, dict(row), expected, row["of_index"])
    if (row := await connection.fetchrow(_SQL["dead_letter_alone"])) is not None:
        _differ("log.dead_letter", f"index {row['index']}", "a record", None, row["index"])
    await _compare_positions(connection, walk)
    await _compare_sequences(connection, walk)
    if (row := await connection.fetchrow(_SQL["token_without_seal"])) is not None:
        expected = "a seal (`yesser tokens seal` where the row is right, else `yesser tokens revoke`)"
        _differ("platform.token", row["key_id"], {"holder": row["holder"], "seal": None}, expected, None)
    if (row := await connection.fetchrow(_SQL["position_beyond"], size)) is not None:
        _differ("platform.position", row["consumer"], row["position"], f"{size} or less", size)


async def _compare_seals(connection: Connection, compared: Compared, keys: SealKeys) -> None:
    """Compare with their seals what has some, where their keys are here. A contact has the seal of its team."""
    tokens, teams = keys.tokens, keys.teams
    of_token = None if tokens is None else lambda row: any(seals.is_token(row) for seals in tokens)
    of_account = None if keys.accounts is None else keys.accounts.is_account
    sealed: list[tuple[str, str, Callable[[Any], bool] | None, str, str]] = [
        ("tokens", "platform.token", of_token, "key_id", "tokens list"),
        ("accounts", "console.account", of_account, "username", "accounts list"),
    ]
    for table, query in _OF_TEAMS.items():
        of_team = None if teams is None else partial(teams.is_sealed, table)
        sealed.append((query, table, of_team, "id", "teams seal"))
    for query, name, is_sealed, key, remedy in sealed:
        names = [name, "delivery.contact"] if query == "teams" else [name]
        if is_sealed is None:
            compared.not_compared += names
            continue
        rows = await connection.fetch(_SQL[query])
        for row in rows:
            if not is_sealed(row):
                columns = ("agency", "team") if name in _OF_TEAMS else ("holder", "partners")
                members = {column: row[column] for column in columns}
                _differ(", ".join(names), row[key], members, f"a row that has its seal (`yesser {remedy}`)", None)
        compared.rows[name] = len(rows)


async def _compare_positions(connection: Connection, walk: _Walk) -> None:
    """A topic is read up to its last entry or duplicate, or further where an operator passed over deleted records."""
    expected = {topic: (offset + 1, index) for topic, (offset, index) in walk.last.items()}
    for row in await connection.fetch(_SQL["last_duplicates"]):
        read, index = expected.get(row["topic"], (0, row["index"]))
        expected[row["topic"]] = max(read, row["offset"] + 1), index
    rows = await connection.fetch(_SQL["positions"])
    offsets = {row["topic"]: row["next_offset"] for row in rows}
    moved = {row["topic"] for row in rows if row["was_moved"]}
    for topic in sorted(offsets.keys() | expected.keys(), key=lambda name: (expected.get(name, (0, 0))[1], name)):
        due, index = expected.get(topic, (0, None))
        if offsets.get(topic) != due and not (topic in moved and offsets[topic] > due):
            _differ("log.read_position", topic, offsets.get(topic), due, index)


async def _compare_sequences(connection: Connection, walk: _Walk) -> None:
    found = {row["agency"]: row for row in await connection.fetch(_SQL["sequences"])}
    for agency in sorted(found.keys() | walk.numbers.keys()):
        has = None if (row := found.get(agency)) is None else stored_pairs(row)
        gives = walk.numbers.get(agency, Numbers()).pairs()
        if has != gives:
            _differ("log.sequence_state", agency, has, gives, None)
    if (row := await connection.fetchrow(_SQL["wrong_sequence"])) is not None:
        _differ("log.sequence_state", row["agency"], f"highest {row['highest']}", "the highest number seen", None)


def _text_hash(row: Any) -> str:
    """The hash that a text gives under its salt; that of its row where it is withheld, or lost by a recovery."""
    return str(row["sha256"]) if row["salt"] is None else text_sha256(row["salt"], row["value"].encode()).hex()


def _addresses_of(run: Any, start: int, end: int) -> Iterator[Row]:
    """Index and address of a run's entries in `start … end - 1`; its first index also where it is below `start`."""
    first = run["first_index"]
    if first < start and first + run["entries_count"] <= start:
        yield first, [run["topic"], run["first_offset"]]
    for index in range(max(first, start), min(first + run["entries_count"], end)):
        yield index, [run["topic"], run["first_offset"] + index - first]


def _differ(table: str, key: str, found: Any, expected: Any, index: int | None) -> NoReturn:
    raise TableDiffers(Difference(table, key, found, expected, index))


_SEALED_CLAIMS: Final = "log.sealed_claims"
_LAST_CLAIM: Final = b"\xff" * 16
_SEALED: Final = queries("consumers.registrar.claims", "claims.sql")["sealed"]
_CLAIMS: Final = queries("consumers.proof.database_audit", "database.sql")["claims_of_part"]


async def compare_sealed_claims(connection: Connection, size: int) -> int:
    """Compare sealed claims with those of the log, a part at a time: the registrar does not look up what they lack.

    The number of rows compared. In a transaction. Raises `TableDiffers`.
    """
    rows_count = 0
    for part in range(PARTS):
        rows = await connection.fetch(_SEALED, part, part)
        sealed, fault = intact(rows, size)
        if fault is not None:
            index = sealed[-1].end_index if sealed else 0
            raise TableDiffers(Difference(_SEALED_CLAIMS, f"part {part}", fault, "what the registrar wrote", index))
        if not sealed:
            continue
        rows_count += len(rows)
        async for claim, index in connection.cursor(_CLAIMS, bytes([part]), bytes([part]) + _LAST_CLAIM, prefetch=4096):
            bucket, fingerprint = bucket_of(int.from_bytes(claim[:4], "big")), claim[4:6]
            of_index = next((s for s in sealed if s.first_index <= index < s.end_index), None)
            if of_index is not None and not of_index.fingerprints.may_hold(bucket, fingerprint):
                raise TableDiffers(Difference(_SEALED_CLAIMS, f"part {part}", None, f"the claim {claim.hex()}", index))
    return rows_count
