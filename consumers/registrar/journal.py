"""The registrar's transactions: one per batch, each of which begins by holding the lease's row.

A `Journal` belongs to one owner (one epoch, one connection). After any error it is thrown away and a new owner starts
from what the database says, which is also how an ambiguous commit is resolved: the claim of the new epoch waits for the
old transaction's row lock, and the size and the positions show whether it was committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from typing import Any, Final

import orjson

from consumers.registrar.batch import Batch, Mark, Refusal, multirange, ranges, repeated, segments
from consumers.registrar.breaker import CLOSED, BreakerState, Outcome, Pause
from consumers.registrar.claims.lookup import ClaimLookup
from events.errors import Halt
from events.schema_tools.schema_documents import catalogue_sha256
from events.validation.verdicts import Agency
from events.values.working_days import riyadh_date
from events.wire.entry import parse_entry
from events.wire.texts import Text, withheld_text
from infra.log.authority import (
    ADOPTED,
    REGISTERED,
    RESUMED,
    SUSPENDED,
    Adopted,
    Authority,
    Change,
    TableDiffers,
    differences,
)
from infra.log.merkle import TileTree, leaf_hash
from infra.log.reader import read_checked, read_tree
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.sql import queries
from infra.postgres.verdicts import KnownEvents
from infra.process import lease
from infra.settings import Settings

LEASE: Final = "registrar"
GENESIS_ENTRIES: Final = 2
_SQL: Final = queries("consumers.registrar", "registrar.sql")


class Diverged(Halt):
    """The log's size in the database is not what its only writer knows."""


@dataclass(slots=True)
class ReadPosition:
    """Where reading of a topic goes on, and the mark of the record before it.

    The breaker does not count records below `uncounted_up_to`.
    """

    next_offset: int
    last_record: Mark
    halted_reason: str | None
    breaker: BreakerState = CLOSED
    uncounted_up_to: int = 0


class Journal:
    """The log as its owner knows it: size, tree, last recorded time, authority, and the transactions that extend them.

    The session that takes over sets `authority` from the entries; a recovery does not use it.
    """

    def __init__(self, connection: Connection, epoch: int, settings: Settings, *, is_recovering: bool = False) -> None:
        self.is_recovering = is_recovering
        self.connection = connection
        self.epoch = epoch
        self.settings = settings
        self.tree = TileTree()
        self.recorded = ""
        self.authority = Authority()
        self.shipped_up_to = 0
        self.stored_shipped_up_to = 0
        self.texts_end = self.stored_texts_end = 0
        self.lock = asyncio.Lock()
        self.claims = ClaimLookup(connection)

    async def open(self) -> None:
        """Read the state under the new epoch."""
        row = await self.connection.fetchrow(_SQL["state"])
        assert row is not None
        try:
            self.tree = await read_tree(self.connection, row["size"])
        except LookupError as error:
            raise Diverged(f"{error}; restore the database, then run `yesser recover`") from error
        self.recorded = row["recorded"]
        self.shipped_up_to = self.stored_shipped_up_to = row["shipped_up_to"]
        self.texts_end = self.stored_texts_end = row["texts_end"]

    @property
    def size(self) -> int:
        return self.tree.size

    async def agencies(self) -> list[Agency]:
        async with self.lock:
            rows = await self.connection.fetch(_SQL["agencies"])
        return [Agency(row["code"], row["role"]) for row in rows]

    async def positions(self) -> dict[str, ReadPosition]:
        async with self.lock:
            rows = await self.connection.fetch(_SQL["positions"])
        return {
            r["topic"]: ReadPosition(
                r["next_offset"],
                Mark(r["last_record_sha256"], r["last_record_appended_ms"]),
                r["halted_reason"],
                _breaker_state(r),
                r["uncounted_up_to"],
            )
            for r in rows
        }

    async def alarm(self) -> str | None:
        """The first refusal of the platform's own event that no operator has acknowledged: a bug of ours."""
        async with self.lock:
            row = await self.connection.fetchrow(_SQL["alarm"])
        return row and (
            f"the platform's own event was refused at index {row['index']} ({row['code']}); find the cause, then"
            f" `yesser registrar acknowledge {row['index']} --note …`, or --all (docs/runbook.md)"
        )

    async def known(self, claims: Sequence[bytes]) -> KnownEvents:
        """The events of the log that have one of these claims."""
        async with self.lock:
            return await self.claims.known(claims)

    async def hold(self) -> None:
        """First statement of every transaction. Raises `Fenced`."""
        await lease.hold(self.connection, LEASE, self.epoch)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction of the owner: it begins by holding the lease's row. Raises `Fenced`."""
        async with self.lock, self.connection.transaction():
            await self.hold()
            yield self.connection

    async def database_time(self) -> datetime:
        async with self.lock:
            now: datetime = await self.connection.fetchval(_SQL["now"])
        return now

    async def commit(self, batch: Batch, require_time: Callable[[datetime], None] | None = None) -> list[bytes]:
        """Write a batch in one transaction; returns its leaf hashes. On any error nothing of this owner is valid.

        `require_time` gets PostgreSQL's time before the commit; its error prevents it.
        """
        leaves = [leaf_hash(entry) for entry in batch.entries]
        tree = self.tree.copy()
        nodes = tree.append(leaves)
        async with self.lock:
            shipped_up_to = self.shipped_up_to
            async with self.claims.none_missed(self.hold), self.connection.transaction():
                await self.hold()
                now = await self._write(batch, leaves, nodes, shipped_up_to)
                if require_time is not None:
                    require_time(now)
            # Only now: the signer must never see a tree that was not committed.
            self.tree = tree
            self.claims.add(batch.claims, tree.size)
            self.recorded = batch.recorded
            self.authority.apply(batch.authority)
            self.stored_shipped_up_to = shipped_up_to
        return leaves

    async def _write(
        self, batch: Batch, leaves: list[bytes], nodes: list[tuple[int, int, bytes]], shipped_up_to: int
    ) -> datetime:
        """Write the rows; returns PostgreSQL's time."""
        execute = self.connection.execute
        now: datetime | None = await self.connection.fetchval(
            _SQL["advance"], batch.first_index, batch.size, batch.recorded, shipped_up_to
        )
        if now is None:
            raise Diverged(f"the log's size is not {batch.first_index}: another writer was here; run `yesser status`")
        if self.is_recovering:
            await execute(_SQL["note_recovered"])
        positions = [(topic, next_offset, *mark) for topic, (next_offset, mark) in batch.positions.items()]
        await execute(
            _SQL["add"],
            *_columns(segments(batch.first_index, batch.entries, leaves), 4),
            *_columns(nodes, 3),
            b"".join(chain.from_iterable(zip(batch.claims, batch.identities, strict=True))),
            *_columns(_claim_runs(batch.claim_indexes), 3),
            *_columns(batch.runs, 4),
            *_columns(batch.duplicates, 3),
            *_columns([*map(_text_row, batch.texts), *batch.lost_texts], 5),
            *_columns([*map(_refusal_row, batch.refusals)], 9),
            *_columns(positions, 4),
        )
        for withheld in batch.withheld:
            await execute(_SQL["withhold"], *withheld, withheld_text(batch.recorded, withheld.by_index))
        sequences = [
            (code, multirange(s.seen), multirange(s.accepted), multirange(repeated(s.accepted)), str(max(s.seen)))
            for code, s in batch.sequences.items()
            if s.seen
        ]
        if sequences:
            month = riyadh_date(batch.recorded)[: len("YYYY-MM")]
            bounds = self.settings.sequence_ranges_max, batch.size
            await execute(_SQL["add_sequences"], *_columns(sequences, 5), *bounds, month)
        if batch.breakers:
            await execute(_SQL["keep_breakers"], *_columns([*map(_breaker_row, batch.breakers.items())], 6))
        for topic, reason in batch.halts.items():
            await execute(_SQL["halt_topic"], topic, reason)
        for change in batch.authority:
            await self._write_change(change)
        return now

    async def _write_change(self, change: Change) -> None:
        data, execute = change.data, self.connection.execute
        if change.type == REGISTERED:
            await execute(_SQL["add_agency"], data["code"], data["role"], data["name"], change.index)
        elif change.type == SUSPENDED:
            await execute(_SQL["suspend"], data["code"], data["reason"], change.event_id, change.index)
        elif change.type == RESUMED:
            await execute(_SQL["resume"], data["code"], change.index)

    async def changed_row(self) -> TableDiffers | None:
        """The first row of the tables of agencies and suspensions that is not as the log gives it."""
        async with self.lock:
            agencies = await self.connection.fetch(_SQL["agencies"])
            suspensions = await self.connection.fetch(_SQL["suspensions"])
            # Under the lock: a commit changes the tables and `authority`.
            differing = differences(self.authority, agencies, suspensions)
        return TableDiffers(differing[0]) if differing else None

    def begin_with_catalogue(self) -> None:
        """In an empty log this release's catalogue is in force. It is kept with `authority`, and needs no entry."""
        if not self.size:
            self.authority.catalogue = Adopted(catalogue_sha256(), 0)

    async def adopt_catalogue(self) -> bool:
        """Announce this release's catalogue if another one is in force, or none is known; whether it did."""
        adopted, sha256 = self.authority.catalogue, catalogue_sha256()
        if len(self.authority.agencies) < GENESIS_ENTRIES or (adopted is not None and adopted.sha256 == sha256):
            return False
        cause = 0 if adopted is None else adopted.index
        async with self.transaction() as connection:
            [raw] = await read_checked(connection, cause, 1)
            event = _adoption(sha256, version("yesser-events"), cause, parse_entry(cause, raw).recorded)
            await outbox_table.write(connection, [event])
        return True

    async def start_topic(self, topic: str) -> None:
        """Store that a topic is read, for the operator who registered its agency."""
        async with self.transaction() as connection:
            await connection.execute(_SQL["start_topic"], topic)

    async def halt_topic(self, topic: str, reason: str) -> None:
        async with self.transaction() as connection:
            await connection.execute(_SQL["halt_topic"], topic, reason)

    async def resume_topics(self, topics: Sequence[str]) -> None:
        """Note that these are no longer paused."""
        closed = [_breaker_row((topic, CLOSED)) for topic in topics]
        async with self.transaction() as connection:
            await connection.execute(_SQL["keep_breakers"], *_columns(closed, 6))

    async def close(self) -> None:
        """Block further use of the connection: a task that is cancelled in a statement would cancel the next one too.

        PostgreSQL is asked to cancel the statement that runs, and may do so a moment later.
        """
        await self.lock.acquire()

    async def note_verified(self) -> None:
        """Store that this copy of the database has all that was signed and shipped: texts of events are read again."""
        async with self.transaction() as connection:
            await connection.execute(_SQL["note_verified"])

    async def note_shipped(self) -> None:
        """Store how far the log was shipped."""
        async with self.transaction() as connection:
            # Shipping goes on while this is written.
            shipped_up_to, texts_end = self.shipped_up_to, self.texts_end
            if shipped_up_to > self.stored_shipped_up_to or texts_end != self.stored_texts_end:
                await connection.execute(_SQL["shipped"], shipped_up_to, texts_end)
                self.stored_shipped_up_to, self.stored_texts_end = shipped_up_to, texts_end


def _adoption(sha256: str, release: str, cause: int, recorded: str) -> OutboxEvent:
    """The same bytes at each take-over until the event is registered: the registrar drops all but the first."""
    return OutboxEvent(
        id=f"catalogue.{sha256[:12]}.{release.replace('+', '-')}.i{cause}",
        type=ADOPTED,
        subject=f"catalogue/{sha256}",
        data={"sha256": sha256, "release": release},
        time=recorded,
        cause_index=cause,
    )


def _breaker_row(of: tuple[str, BreakerState]) -> tuple[object, ...]:
    topic, state = of
    pause, levels = state.pause, orjson.dumps(state.levels).decode()
    if pause is None:
        return topic, levels, None, 0, None, None
    return topic, levels, pause.until, pause.times, orjson.dumps(pause.reason).decode(), pause.cause.name.lower()


def _breaker_state(row: Mapping[str, Any]) -> BreakerState:
    levels = tuple(row["breaker_levels"])
    if row["paused_until"] is None:
        return BreakerState(levels)
    cause = Outcome[row["paused_cause"].upper()]
    return BreakerState(levels, Pause(row["paused_until"], row["paused_times"], row["paused_reason"], cause))


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _claim_runs(indexes: Sequence[int]) -> list[tuple[int, int, int]]:
    """Claims of consecutive entries: the first index, how many, and how many claims stand before them."""
    runs, before = [], 0
    for first, end in ranges(indexes):
        runs.append((first, end - first, before))
        before += end - first
    return runs


def _text_row(of: tuple[int, Text]) -> tuple[object, ...]:
    index, text = of
    return index, text.member, text.sha256, text.salt, text.written.decode()


def _refusal_row(refusal: Refusal) -> tuple[object, ...]:
    said = refusal.index, refusal.agency, refusal.address, refusal.claimed_id, refusal.claimed_type
    errors, headers = (orjson.dumps(part).decode() for part in (refusal.errors, refusal.headers))
    return *said, errors, refusal.keep_raw, refusal.value, headers
