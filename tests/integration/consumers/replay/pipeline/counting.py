"""A consumer as small as one can be: it counts entries by type, and keeps which index it applied when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.version import FoldVersion
from events.wire.entry import Entry
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import Need, Table, UnitOfWork
from tests.world.waits import until


@dataclass(slots=True)
class Applied:
    index: int
    event_id: str


APPLIED = Table("applied", Applied, ("index",), append_only=True)
_SQL = (("tests.integration.consumers.replay.pipeline", "counting.sql"),)


def required_keys(ws: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
    yield from ()


def fold(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    for entry in entries:
        ws.append(APPLIED, Applied(entry.index, entry.id))
    return []


COUNTING = Consumer("counting", "counting", (APPLIED,), _SQL, required_keys, fold, FoldVersion(1, "one"))


@dataclass(slots=True)
class Counted:
    type: str
    count: int


COUNTED = Table("counted", Counted, ("type",))


def needs_by_type(ws: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
    yield {(COUNTED, (entry.type,)) for entry in entries}


def fold_by_type(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    for entry in entries:
        row = ws.get(COUNTED, entry.type) or Counted(entry.type, 0)
        row.count += 1
        ws.put(COUNTED, row)
    return fold(ws, entries)


COUNTING_BY_TYPE = Consumer(
    "counting",
    "counting",
    (APPLIED, COUNTED),
    (*_SQL, ("tests.integration.consumers.replay.pipeline", "counted.sql")),
    needs_by_type,
    fold_by_type,
    version=FoldVersion(2, "by type"),
)
"""A later release of it, which keeps one table more."""


async def applied(connection: Connection) -> list[int]:
    """The indexes that were applied, in the order in which they were."""
    if not await connection.fetchval("SELECT to_regclass('counting.applied') IS NOT NULL"):
        return []
    return [row["index"] for row in await connection.fetch("SELECT index FROM counting.applied ORDER BY row_id")]


async def position(connection: Connection) -> int:
    applied_up_to: int | None = await connection.fetchval(
        "SELECT position FROM platform.position WHERE consumer = 'counting'"
    )
    return applied_up_to or 0


async def until_position(connection: Connection, end: int) -> None:
    query = "SELECT position >= $1 FROM platform.position WHERE consumer = 'counting'"
    await until(lambda: connection.fetchval(query, end), f"position {end}")
    assert await position(connection) == end
    assert await applied(connection) == list(range(end)), "each entry once, in order"


SELDOM_S = 60.0
"""How seldom a pipeline looks at the log where Kafka alone is to bring entries."""
