"""Each agency's activity: accepted events by type, and refused records, with the first and last index of each.

Every log entry counts, so entries are counted per batch, not one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class Activity:
    """Accepted events of one type by one agency."""

    agency: str
    type: str
    count: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class Refusals:
    """Refused records (conflicts included) in one agency's topic."""

    agency: str
    count: int
    first_index: int
    last_index: int


ACTIVITY: Final = Table("activity", Activity, key=("agency", "type"))
REFUSALS: Final = Table("refusals", Refusals, key=("agency",))
TABLES: Final[tuple[Table[Any], ...]] = (ACTIVITY, REFUSALS)
SQL_FILES: Final = (("consumers.programme.projections.handlers", "activity.sql"),)

REFUSED: Final = "registrar.refused"
_SENDER_AND_TYPE: Final = attrgetter("agency", "type")
_INDEX: Final = attrgetter("index")


def required_keys(entries: Sequence[Entry]) -> Iterator[Need]:
    """One row per agency and type, and per agency with a refusal."""
    senders = set(map(_SENDER_AND_TYPE, entries))
    for key in senders:
        yield ACTIVITY, key
    if any(type_ == REFUSED for _, type_ in senders):
        yield from {(REFUSALS, (refused_agency(entry),)) for entry in entries if entry.type == REFUSED}


def count(ws: UnitOfWork, entries: Sequence[Entry]) -> None:
    """Count a batch."""
    keys = list(map(_SENDER_AND_TYPE, entries))
    counted = Counter(keys)
    last = dict(zip(keys, map(_INDEX, entries), strict=True))
    for key, number in counted.items():
        row = ws.get(ACTIVITY, *key)
        if row is None:
            first = next(e.index for e in entries if e.agency == key[0] and e.type == key[1])
            row = Activity(*key, 0, first, first)
        row.count += number
        row.last_index = last[key]
        ws.put(ACTIVITY, row)
    if any(type_ == REFUSED for _, type_ in counted):
        _count_refusals(ws, entries)


def _count_refusals(ws: UnitOfWork, entries: Sequence[Entry]) -> None:
    for entry in entries:
        if entry.type == REFUSED:
            agency = refused_agency(entry)
            row = ws.get(REFUSALS, agency) or Refusals(agency, 0, entry.index, entry.index)
            row.count += 1
            row.last_index = entry.index
            ws.put(REFUSALS, row)


def refused_agency(entry: Entry) -> str:
    """The agency of the refused record: `agency.<code>.events/0/17` → `<code>`."""
    address: str = entry.data["address"]
    return address.partition("/")[0].removeprefix("agency.").removesuffix(".events")
