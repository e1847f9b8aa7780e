"""Things that happen once (events.md §3): workshops announced and held, frameworks published, initiatives announced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.projections.applied import Outcome, applied, contradiction, found_at
from events.entry import Entry
from infra.tables import Need, Table, WorkingSet


@dataclass(slots=True)
class Occasion:
    """`what` happened once to `subject`: `announced`, `held` or `published`."""

    subject: str
    what: str
    agency: str
    happened_on: str
    data: dict[str, Any]
    index: int


OCCASION: Final = Table("occasion", Occasion, key=("subject", "what"))
TABLES: Final[tuple[Table[Any], ...]] = (OCCASION,)
SQL_FILES: Final = (("consumers.projections", "occasions.sql"),)

_WHAT: Final = {
    "partnership.workshop-announced": "announced",
    "partnership.workshop-held": "held",
    "partnership.framework-published": "published",
    "awareness.initiative-announced": "announced",
}
TYPES: Final = frozenset(_WHAT)


def needs(entry: Entry) -> Iterator[Need]:
    what = _WHAT.get(entry.type)
    if what is not None:
        yield OCCASION, (entry.subject, what)


def needs_after(ws: WorkingSet, entry: Entry) -> Iterator[Need]:
    """No second round."""
    return iter(())


def apply(ws: WorkingSet, entry: Entry) -> list[Outcome]:
    """Judge one entry: the second time is an anomaly, whoever says it."""
    what = _WHAT.get(entry.type)
    if what is None:
        return []
    known = ws.get(OCCASION, entry.subject, what)
    if known is not None:
        seen = {"agency": known.agency, "index": known.index}
        return [contradiction(entry, found_at(entry), f"already-{what}", seen)]
    ws.put(OCCASION, Occasion(entry.subject, what, entry.agency, entry.data["on"], entry.data, entry.index))
    return [applied(entry, found_at(entry), {})]
