"""Commitments: the hash of every read model at an index of the log, published as an entry of the log itself.

Flows in: the live tables as of the beginning of the consumer's block of the log, read in chunks (`chunks`); while the
log is shorter than a block, as of the position, in one snapshot. Flows out: events `projection.committed` in the
outbox. Each has the index of its rows, so that a replay of the log up to there gives the same hash. Nothing here writes
a read model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from consumers.as_of.past_sql import Base
from consumers.campaigns.rules.rule_file import InvalidRules
from consumers.commitments.chunks import hash_at, snapshot
from consumers.commitments.claims import TYPE, read_model_name
from consumers.commitments.log_keys import hash_log_keys
from consumers.fold.consumer import Consumer
from consumers.fold.past_rows import block_start, is_kept
from consumers.fold.table_hash import TableHash
from consumers.rebuild.table_hash import table_hash
from consumers.registry import CONSUMERS
from events.wire.entry import parse_entry
from infra.log.reader import read_checked
from infra.observability.logs import first_line
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.sql import queries

GROWTH_DIVISOR: Final = 10
"""A commitment is due when the log has grown by this part since the last one: each is a pass over all rows."""
ENTRIES_MIN: Final = 10_000
"""And by this many entries: a part of a short log is soon reached."""
DAY: Final = timedelta(days=1)
"""A log that grows is committed at least this often, if it has grown by one part in `DAILY_DIVISOR`."""
DAILY_DIVISOR: Final = 100
"""Of a log of more than `ENTRIES_MIN`. Else a few entries a day would cost a pass over ever more rows: so what an entry
costs has a limit, the hash of the rows of a hundred others."""

_SQL: Final = queries("consumers.commitments", "commit.sql")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Commitment:
    """`name` is `{consumer}.{table}`, or `log-keys`; `log_index` entries were applied, the last at `recorded`."""

    name: str
    log_index: int
    rows: int
    sha256: str
    recorded: str

    def data(self) -> dict[str, Any]:
        """The event's data, and a row of `yesser commit`."""
        return {"name": self.name, "log_index": self.log_index, "rows": self.rows, "sha256": self.sha256}

    def event(self) -> OutboxEvent:
        """Its cause is the last entry applied. A second commitment at one index is a duplicate."""
        cause = self.log_index - 1
        return OutboxEvent(
            id=f"committed.{self.name}.i{cause}",
            type=TYPE,
            subject=f"projection/{self.name}",
            data=self.data(),
            time=self.recorded,
            cause_index=cause,
        )


@dataclass(frozen=True, slots=True)
class LogGrowth:
    """Entries without commitments: applied by the projections now, and at the last commitment.

    `since` is the recorded time from the last commitment, or from the log's first entry, to the newest entry. The
    `keys` are rotations of the log's key, now and at the last commitment.
    """

    entries_count: int
    committed_count: int
    since: timedelta = timedelta()
    keys_count: int = 0
    committed_keys: int = 0

    @property
    def due(self) -> bool:
        """Whether the log has grown by enough since the last commitment, in a day by less, or its key was rotated."""
        if self.keys_count > self.committed_keys:
            return True
        grown = self.entries_count - self.committed_count
        enough = max(ENTRIES_MIN, self.committed_count // GROWTH_DIVISOR)
        enough_daily = max(1, (self.committed_count - ENTRIES_MIN) // DAILY_DIVISOR)
        return grown >= enough or (grown >= enough_daily and self.since >= DAY)


async def log_growth(connection: Connection) -> LogGrowth:
    """The entries to commit; zero before the projections have tables."""
    if not await connection.fetchval(_SQL["counted"]):
        return LogGrowth(0, 0)
    row = await connection.fetchrow(_SQL["entries"])
    if row is None:
        return LogGrowth(0, 0)
    since = _time(row["recorded"]) - _time(row["committed_recorded"])
    return LogGrowth(row["entries_count"], row["committed_count"], since, row["keys_count"], row["committed_keys"])


def _time(recorded: str) -> datetime:
    return datetime.fromisoformat(recorded) if recorded else datetime.min.replace(tzinfo=UTC)


async def hash_read_models(
    connection: Connection, consumers: Iterable[Consumer] = tuple(CONSUMERS.values()), *, rest_per_work: float = 0.0
) -> list[Commitment]:
    """All read models, each consumer as of an index of its own, without consumers that have applied nothing.

    The rotations of the log's key follow, once there is one. Each second of work has `rest_per_work` seconds of rest.
    """
    found: list[Commitment] = []
    newest = 0
    for consumer in consumers:
        if await _can_be_hashed(connection, consumer):
            position, hashes = await _hash_consumer(connection, consumer, rest_per_work)
            newest = max(newest, position)
            # Rows of another version may have been swapped in meanwhile.
            if hashes and await _can_be_hashed(connection, consumer):
                found += hashes
    if found:
        keys, recorded = await hash_log_keys(connection, newest), await _recorded(connection, newest)
        if keys.rows and recorded is not None:
            found.append(Commitment(keys.name, newest, keys.rows, keys.sha256, recorded))
    return found


async def _can_be_hashed(connection: Connection, consumer: Consumer) -> bool:
    """Whether its rows exist, and are of this version. Rules that cannot be read keep no other read model waiting."""
    try:
        version = consumer.rows_version
    except InvalidRules as error:
        log.warning("read models are left out of the commitment", consumer=consumer.name, error=first_line(error))
        return False
    started: bool = await connection.fetchval(
        _SQL["started"], consumer.schema, consumer.name, version.number, version.sha256
    )
    return started


async def _hash_consumer(
    connection: Connection, consumer: Consumer, rest_per_work: float
) -> tuple[int, list[Commitment]]:
    """The consumer's position, and the hashes of its rows."""
    position: int = await connection.fetchval(_SQL["position"], consumer.name) or 0
    start = block_start(position) if consumer.shows_past else 0
    if start:
        # Rows may change for the first time while they are read, so each table may have past rows.
        base = Base(consumer, position, start, start, frozenset(t.name for t in consumer.tables if is_kept(t)))
        hashes = [await hash_at(connection, base, table, rest_per_work) for table in consumer.tables]
        return position, await _commitments(connection, consumer, start, hashes)
    async with snapshot(connection, consumer):
        position = await connection.fetchval(_SQL["position"], consumer.name) or 0
        hashes = [await table_hash(connection, table) for table in consumer.tables] if position else []
        return position, await _commitments(connection, consumer, position, hashes)


async def _commitments(
    connection: Connection, consumer: Consumer, end: int, hashes: Sequence[TableHash]
) -> list[Commitment]:
    recorded = await _recorded(connection, end) if hashes else None
    if recorded is None:
        return []
    return [Commitment(read_model_name(consumer, h.name), end, h.rows, h.sha256, recorded) for h in hashes]


async def _recorded(connection: Connection, end: int) -> str | None:
    """The recorded time of the last of `end` entries; None where the log is shorter (an older copy)."""
    last = await read_checked(connection, end - 1, 1)
    return parse_entry(end - 1, last[0]).recorded if last else None


async def publish(connection: Connection, commitments: Sequence[Commitment], growth: LogGrowth) -> None:
    """Put the commitments into the outbox, by command; `growth` is that before the read."""
    async with connection.transaction():
        await connection.execute(_SQL["committed"], growth.entries_count, growth.keys_count)
        await outbox_table.write(connection, [commitment.event() for commitment in commitments])


async def publish_by_relay(
    connection: Connection, commitments: Sequence[Commitment], growth: LogGrowth, epoch: int
) -> bool:
    """The same for the relay of `epoch`; False if it was superseded or came second: then nothing is written."""
    async with connection.transaction():
        if not await connection.fetchval(_SQL["committed_by_relay"], growth.entries_count, growth.keys_count, epoch):
            return False
        await outbox_table.write(connection, [commitment.event() for commitment in commitments])
    return True
