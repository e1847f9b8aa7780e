"""The event index: finds an event's entry by subject, type, agency and id. Append-only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.version import version_of
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class IndexedEvent:
    """`type` is the full type, `time` the event's own time as sent; the source follows from the agency."""

    index: int
    id: str
    type: str
    subject: str
    agency: str
    time: str


EVENT: Final = Table("event", IndexedEvent, key=("index",), append_only=True)


def required_keys(ws: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
    """None: rows are never read back."""
    return iter(())


def fold(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """One row per entry."""
    for entry in entries:
        ws.append(EVENT, IndexedEvent(entry.index, entry.id, entry.full_type, entry.subject, entry.agency, entry.time))
    return []


CONSUMER: Final = Consumer(
    name="event-index",
    schema="event_index",
    tables=(EVENT,),
    sql_files=(("consumers.replay.event_index", "tables.sql"),),
    required_keys=required_keys,
    fold=fold,
    version=version_of("event-index"),
)
