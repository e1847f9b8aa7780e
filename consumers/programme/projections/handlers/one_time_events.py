"""One-time events (events.md §3): workshops announced and held, frameworks published, initiatives announced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.programme.projections.handlers.outcome import Outcome, applied
from consumers.replay.fold.anomaly import anomaly
from events.values.data import Data
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class OneTimeEvent:
    """`what` happened once to `subject`: `announced`, `held` or `published`."""

    subject: str
    what: str
    agency: str
    happened_on: str
    data: Data
    index: int


ONE_TIME_EVENT: Final = Table("occasion", OneTimeEvent, key=("subject", "what"))
TABLES: Final[tuple[Table[Any], ...]] = (ONE_TIME_EVENT,)
SQL_FILES: Final = (("consumers.programme.projections.handlers", "one_time_events.sql"),)

_WHAT: Final = {
    "partnership.workshop-announced": "announced",
    "partnership.workshop-held": "held",
    "partnership.framework-published": "published",
    "awareness.initiative-announced": "announced",
}
TYPES: Final = frozenset(_WHAT)


def required_keys(entry: Entry) -> Iterator[Need]:
    yield ONE_TIME_EVENT, (entry.subject, _WHAT[entry.type])


def apply(ws: UnitOfWork, entry: Entry) -> list[Outcome]:
    """Apply one entry; a second one is an anomaly, whatever its sender."""
    what = _WHAT[entry.type]
    known = ws.get(ONE_TIME_EVENT, entry.subject, what)
    if known is not None:
        return [anomaly(entry, f"already-{what}", {"agency": known.agency, "index": known.index})]
    ws.put(ONE_TIME_EVENT, OneTimeEvent(entry.subject, what, entry.agency, entry.data["on"], entry.data, entry.index))
    return [applied(entry)]
