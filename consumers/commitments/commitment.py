"""Commitments: the hash of every read model at an index of the log, published as an entry of the log itself.

Flows in: the live tables, in a snapshot with consistent rows and position. Flows out: events `projection.committed` in
the outbox. Each has the index of its rows, so that a replay of the log up to there gives the same hash. Nothing here
writes a read model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from consumers.commitments.claims import TYPE, read_model_name
from consumers.commitments.log_keys import hash_log_keys
from consumers.fold.consumer import Consumer
from consumers.rebuild.table_hash import table_hash
from consumers.registry import CONSUMERS
from events.wire.entry import parse_entry
from infra.log.reader import read_checked
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.sql import queries

GROWTH_DIVISOR: Final = 10
"""A commitment is due when the log has grown by this part since the last one: each is a pass over all rows."""
ENTRIES_MIN: Final = 10_000
"""And by this many entries: a part of a short log is soon reached."""
DAY: Final = timedelta(days=1)
"""A log that grows is committed at least this often."""

_SQL: Final = queries("consumers.commitments", "commit.sql")


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
        """Whether the log has grown by enough since the last commitment, or at all in a day, or its key was rotated."""
        if self.keys_count > self.committed_keys:
            return True
        grown = self.entries_count - self.committed_count
        enough = max(ENTRIES_MIN, self.committed_count // GROWTH_DIVISOR)
        return grown >= enough or (grown > 0 and self.since >= DAY)


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
    connection: Connection, consumers: Iterable[Consumer] = tuple(CONSUMERS.values())
) -> list[Commitment]:
    """All read models, each consumer in its own snapshot, without consumers that have applied nothing.

    The rotations of the log's key follow, once there is one.
    """
    found: list[Commitment] = []
    for consumer in consumers:
        version = consumer.rows_version
        if await connection.fetchval(_SQL["started"], consumer.schema, consumer.name, version.number, version.sha256):
            async with connection.transaction(isolation="repeatable_read"):
                found += await _hash_consumer(connection, consumer)
    if found:
        newest = max(found, key=lambda commitment: commitment.log_index)
        keys = await hash_log_keys(connection, newest.log_index)
        if keys.rows:
            found.append(Commitment(keys.name, newest.log_index, keys.rows, keys.sha256, newest.recorded))
    return found


async def _hash_consumer(connection: Connection, consumer: Consumer) -> list[Commitment]:
    """Lock the tables before the snapshot, so that no rebuild swaps them meanwhile."""
    await connection.execute(f"SET LOCAL search_path = {consumer.schema}")
    await connection.execute(f"LOCK TABLE {', '.join(table.name for table in consumer.tables)} IN ACCESS SHARE MODE")
    position: int = await connection.fetchval(_SQL["position"], consumer.name) or 0
    last = await read_checked(connection, position - 1, 1) if position else []
    if not last:
        return []
    recorded = parse_entry(position - 1, last[0]).recorded
    prints = [await table_hash(connection, table) for table in consumer.tables]
    return [Commitment(read_model_name(consumer, p.name), position, p.rows, p.sha256, recorded) for p in prints]


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
