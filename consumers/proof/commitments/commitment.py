"""Commitments: the hash of every read model at an index of the log, published as an entry of the log itself.

Flows in: the rows of the live tables after exactly so many entries, read in chunks (`chunks`): as of the beginning of
the consumer's block of the log, or if that was committed already as of its position (`Growth`). Flows out: events
`projection.committed` in the outbox. Each has the index and the version of its rows, so that a replay of the log up to
there gives the same hash. Nothing here writes a read model.

Decides when the read models of a consumer are committed, and as of which index. Pure: it knows no clock.

Entries that count are all but the commitments and the refusals of the platform's own events. So neither what a
commitment adds to the log nor its refusal brings the next one.

The hash of the rotations of the log's key, which is committed like that of a read model: so they are in the log.

It covers the rows of `log.key_history` up to the index of the commitment, and needs no fold: the registrar writes them.

Schedules commitments: a task of the relay commits the read models when the log has grown by a tenth, and once a day.

It reads in short transactions and never blocks a consumer. Hashing tables of millions of rows takes seconds, so it
works a twentieth of a second at a time and rests between. While the log grows it also rests after a commitment: it then
uses at most a fiftieth of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from itertools import groupby
from typing import Final

import structlog

from consumers.models.registry import CONSUMERS
from consumers.programme.campaigns.rules.rule_file import InvalidRules
from consumers.proof.commitments.chunks import RowsAt, hash_at
from consumers.proof.commitments.claims import TYPE, consumer_name, read_model_name
from consumers.proof.commitments.trail import TRAIL
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import block_start
from consumers.replay.fold.table_hash import TableHash
from consumers.replay.fold.version import FoldVersion
from events.validation.refusal import PLATFORM
from events.validation.verdicts import Agency
from events.values.data import Data
from events.wire.codec import canonical_bytes
from events.wire.entry import parse_entry
from infra.log.reader import log_size, read_checked
from infra.observability.logs import first_line
from infra.postgres import outbox_table
from infra.postgres.connection import Connection, limit_idle
from infra.postgres.outbox import OutboxEvent
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.settings import Settings

LOG_KEYS: Final = "log-keys"
"""The name in commitments. Read models have a dot in theirs."""

GROWTH_DIVISOR: Final = 10
"""A commitment is due when the log has grown by this part since the last one: each is a pass over all rows."""
ENTRIES_MIN: Final = 10_000
"""And by this many entries: a part of a short log is soon reached."""
DAY: Final = timedelta(days=1)
"""Every log that has grown is committed within a day."""
_SQL: Final = queries("consumers.proof.commitments", "commit.sql")
_CLAIM_PREFIX: Final = Agency(PLATFORM, "platform").claim_prefix

log = structlog.get_logger()
LOOK_EVERY_S: Final = 0.5
REST_PER_WORK: Final = 9
"""Seconds of rest for each second of work, which is done a twentieth of a second at a time."""
REST_PER_COMMITMENT: Final = 4
"""Seconds of rest after each second of a commitment while the log grows."""


async def hash_log_keys(connection: Connection, log_index: int) -> TableHash:
    """The hash of the rotations before the entry `log_index`."""
    rows = await connection.fetch(_SQL["log_keys"], log_index)
    lines = [canonical_bytes(dict(row)) + b"\n" for row in rows]
    return TableHash(LOG_KEYS, len(rows), sha256(b"".join(lines)).hexdigest())


@dataclass(frozen=True, slots=True)
class Growth:
    """A consumer has applied `position` entries, of which `entries_count` count.

    `committed_index` and `committed_count` are the same of its last commitment under the version of its rows: a new
    version begins at 0. `since` is the time since its last commitment under any version.
    """

    position: int
    entries_count: int
    committed_index: int = 0
    committed_count: int = 0
    since: timedelta = timedelta()

    @property
    def due(self) -> bool:
        """Whether it has grown by enough since the last commitment, or in a day by anything."""
        grown = self.entries_count - self.committed_count
        if grown < 1 or not self.indexes:
            return False
        # After a clock was set back the time is negative: a commitment is due, and notes the new time.
        is_new_day = not timedelta() <= self.since < DAY
        return is_new_day or grown >= max(ENTRIES_MIN, self.committed_count // GROWTH_DIVISOR)

    @property
    def indexes(self) -> list[int]:
        """What can be committed next, the cheapest first: the beginning of the block, which needs no fold, and the
        position. No index is committed twice under one version."""
        both = dict.fromkeys((block_start(self.position), self.position))
        return [index for index in both if index > self.committed_index]

    def count_before(self, index: int) -> int:
        """The number of entries before `index` that count, at least."""
        return max(0, self.entries_count - (self.position - index))


@dataclass(frozen=True, slots=True)
class Commitment:
    """`name` is `{consumer}.{table}`, `log-keys` or `trail`; `log_index` entries were applied, the last at `recorded`.

    `fold_version` is that of the rows; the others have none. `count` of the entries count as growth; of keys and of
    rows of the trail all.
    """

    name: str
    log_index: int
    rows: int
    sha256: str
    recorded: str
    fold_version: str | None
    count: int

    @property
    def mark(self) -> tuple[str, str, int, int]:
        """How far its consumer is committed: a row of `platform.committed`."""
        return consumer_name(self.name), self.fold_version or "", self.log_index, self.count

    def data(self) -> Data:
        """The event's data, and a row of `yesser commit`."""
        data = {"name": self.name, "log_index": self.log_index, "rows": self.rows, "sha256": self.sha256}
        return data if self.fold_version is None else {**data, "fold_version": self.fold_version}

    def event(self) -> OutboxEvent:
        """Its cause is the last entry applied."""
        return OutboxEvent(
            id=event_id(self.name, self.fold_version, self.log_index),
            type=TYPE,
            subject=f"projection/{self.name}",
            data=self.data(),
            time=self.recorded,
            cause_index=self.log_index - 1,
        )


def event_id(name: str, fold_version: str | None, log_index: int) -> str:
    """It names the last entry applied, and the version: another one may give other rows there."""
    version = "" if fold_version is None else f".v{fold_version}"
    return f"committed.{name}{version}.i{log_index - 1}"


async def growths(
    connection: Connection, consumers: Iterable[Consumer] = tuple(CONSUMERS.values())
) -> dict[str, Growth]:
    """Of these consumers, by name, those whose rows are of this process's version; none before there are tables."""
    if not await connection.fetchval(_SQL["counted"]):
        return {}
    by_name = {consumer.name: consumer for consumer in consumers}
    by_consumer = {}
    for name, position, number, rules_sha256, *rest in await connection.fetch(_SQL["growth"]):
        # Rows of another version are rebuilt when their consumer starts; they are not committed before.
        if name in by_name and _version(by_name[name]) == FoldVersion(number, rules_sha256):
            by_consumer[name] = Growth(position, *rest)
    return by_consumer


async def keys_growth(connection: Connection) -> Growth:
    """The rotations of the log's key, counted as entries are."""
    row = await connection.fetchrow(_SQL["keys_growth"])
    return Growth(0, 0) if row is None else Growth(row["position"], row["keys_count"], 0, row["committed_count"])


async def hash_read_models(
    connection: Connection, consumers: Iterable[Consumer] = tuple(CONSUMERS.values()), *, rest_per_work: float = 0.0
) -> list[Commitment]:
    """The read models of these consumers, each consumer as of its next index, without those that have none.

    The rotations of the log's key and the trail follow, if they have grown. Each second of work has `rest_per_work`
    seconds of rest.
    """
    commitments: list[Commitment] = []
    for consumer in consumers:
        growth = (await growths(connection, [consumer])).get(consumer.name)
        hashes = [] if growth is None else await _hash_consumer(connection, consumer, growth, rest_per_work)
        # Rows of another version may have been swapped in meanwhile.
        if await growths(connection, [consumer]):
            commitments += hashes
    keys = await keys_growth(connection)
    recorded = await _recorded(connection, keys.position) if keys.entries_count > keys.committed_count else None
    if recorded is not None:
        hashed = await hash_log_keys(connection, keys.position)
        commitments.append(Commitment(LOG_KEYS, keys.position, hashed.rows, hashed.sha256, recorded, None, hashed.rows))
    return [*commitments, *await _hash_trail(connection)]


async def trail_growth(connection: Connection) -> tuple[Growth, str]:
    """The rows of the trail, counted as entries are, and the hash of its chain."""
    row = await connection.fetchrow(_SQL["trail_growth"])
    if row is None:
        return Growth(0, 0), ""
    *growth, hashed = row
    return Growth(*growth), hashed


async def _hash_trail(connection: Connection) -> list[Commitment]:
    """The trail as of the position, if it has grown: one hash for each length of the log."""
    growth, hashed = await trail_growth(connection)
    position, rows = growth.position, growth.entries_count
    if position <= growth.committed_index or rows <= growth.committed_count:
        return []
    made = Commitment(TRAIL, position, rows, hashed, "", None, rows)
    is_known = await connection.fetchval(_SQL["counted"])
    if not is_known or await connection.fetch(_SQL["in_log"], [made.event().id], _CLAIM_PREFIX):
        return []  # after a restore the log has commitments that were not noted
    recorded = await _recorded(connection, position)
    return [] if recorded is None else [replace(made, recorded=recorded)]


def _version(consumer: Consumer) -> FoldVersion | None:
    """None where its rules cannot be read: they keep no other read model waiting."""
    try:
        return consumer.rows_version
    except InvalidRules as error:
        _tell_once(consumer.name, first_line(error))
        return None


@cache
def _tell_once(consumer: str, error: str) -> None:
    log.warning("read models are left out of the commitment", consumer=consumer, error=error)


async def _hash_consumer(
    connection: Connection, consumer: Consumer, growth: Growth, rest_per_work: float
) -> list[Commitment]:
    version = consumer.rows_version.label
    for index in growth.indexes:
        names = {event_id(read_model_name(consumer, table.name), version, index): table for table in consumer.tables}
        # After a restore the log has commitments that were not noted.
        registered = {id for (id,) in await connection.fetch(_SQL["in_log"], [*names], _CLAIM_PREFIX)}
        tables = [table for id, table in names.items() if id not in registered]
        if tables:
            break
    else:
        return []
    recorded, count, rows = await _recorded(connection, index), growth.count_before(index), RowsAt(consumer, index)
    if recorded is None:
        return []
    hashes = [await hash_at(connection, rows, table, rest_per_work) for table in tables]
    return [
        Commitment(read_model_name(consumer, h.name), index, h.rows, h.sha256, recorded, version, count) for h in hashes
    ]


async def _recorded(connection: Connection, end: int) -> str | None:
    """The recorded time of the last of `end` entries; None where the log is shorter (an older copy)."""
    last = await read_checked(connection, end - 1, 1)
    return parse_entry(end - 1, last[0]).recorded if last else None


async def publish(
    connection: Connection, commitments: Sequence[Commitment], epoch: int | None = None
) -> list[Commitment]:
    """Put the commitments into the outbox, and note how far was committed; returns those that were put there.

    Those at an index that was committed meanwhile are left out. The relay gives its `epoch`: if it was superseded,
    nothing is written.
    """
    async with connection.transaction():
        if epoch is not None and not await connection.fetchval(_SQL["is_relay"], epoch):
            return []
        new: list[Commitment] = []
        for mark, group in groupby(commitments, lambda commitment: commitment.mark):
            if await connection.fetchval(_SQL["note"], *mark):
                new += group
        await outbox_table.write(connection, [commitment.event() for commitment in new])
    return new


class CommitmentScheduler:
    """Commits when due, on its own connection, until it is cancelled; `looked` is called after each look."""

    def __init__(self, settings: Settings, term: Term, looked: Callable[[], None] = lambda: None) -> None:
        self.settings = settings
        self.term = term
        self.looked = looked
        self._size = -1
        self._rests_until = 0.0

    async def run(self) -> None:
        async with self.term.connected(self.settings, "commitments", batch=True) as connection:
            await limit_idle(connection, self.settings)
            while True:
                await self.look(connection)
                self.looked()
                await asyncio.sleep(LOOK_EVERY_S)

    async def look(self, connection: Connection) -> bool:
        """Commit one consumer that is due, if the rest is over; returns whether it did.

        The others follow in later looks. So each is looked at just before: `yesser commit` may have been called.
        """
        size = await log_size(connection)
        grows, self._size = size != self._size, size
        committed = {name: growth.committed_index for name, growth in (await growths(connection)).items() if growth.due}
        due = [CONSUMERS[name] for name in sorted(committed, key=committed.__getitem__)[:1]]
        keys = await keys_growth(connection)
        trail, _ = await trail_growth(connection)
        if not due and not trail.due and keys.entries_count <= keys.committed_count:
            return False
        if grows and time.monotonic() < self._rests_until:
            return False
        began = time.monotonic()
        commitments = await hash_read_models(connection, due, rest_per_work=REST_PER_WORK)
        published = await publish(connection, commitments, self.term.epoch)
        took_s = time.monotonic() - began
        self._rests_until = time.monotonic() + REST_PER_COMMITMENT * took_s
        if published:
            log.info("read models committed", commitments=len(published), seconds=round(took_s, 3))
        return bool(published)
