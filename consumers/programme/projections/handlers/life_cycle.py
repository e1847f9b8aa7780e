"""What projects and services have in common (events.md §3): an agency registers one and owns it, facts that come before
wait for that, only its owner's facts take effect, and the office may give it another owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from consumers.programme.projections.handlers import pending_events
from consumers.programme.projections.handlers.outcome import Outcome, applied
from consumers.replay.fold.anomaly import Fact, anomaly
from events.values.data import Data
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


class Registered(Protocol):
    """What the rows have in common. `count` = facts that took effect, `registered` included."""

    owner: str
    state: str
    first_index: int
    last_index: int
    count: int


Row = TypeVar("Row", bound=Registered)


@dataclass(frozen=True, slots=True)
class LifeCycle(Generic[Row]):
    """Applies the facts of a kind, `project` or `service`. Every entry and fact given to it is of one of its types."""

    kind: str
    table: Table[Row]
    register: Callable[[UnitOfWork, Entry], Row]
    """Makes the row and keeps it."""
    rules: Mapping[str, Callable[[Row, Fact], str | None]]
    """Type → what changes the row, or names the rule that the fact contradicts; of all types but `registered`."""
    state: Callable[[Row], str]
    known: Callable[[Row], Data]
    measure: Callable[[Row], tuple[int, ...]] = lambda row: ()
    settle: Callable[[UnitOfWork, Row, tuple[int, ...], int], None] = lambda ws, row, before, index: None
    """Brings totals up to date, from what `measure` gave before the change."""

    def row(self, ws: UnitOfWork, entry: Entry) -> Row | None:
        """The row of what the entry is about, once it is registered."""
        return ws.get(self.table, entry.data[f"{self.kind}_id"])

    def required_keys(self, entry: Entry) -> Iterator[Need]:
        """First round: the row, and how many facts wait for it."""
        yield self.table, (entry.data[f"{self.kind}_id"],)
        yield pending_events.need(entry.subject)

    def dependent_keys(self, ws: UnitOfWork, entry: Entry) -> Iterator[Need]:
        """Second round, while it is not registered: how many facts of the agency wait; at `registered` all."""
        if self.row(ws, entry) is not None:
            return
        if entry.type == f"{self.kind}.registered":
            yield from pending_events.need_facts(ws, entry.subject)
        else:
            yield pending_events.need_agency(entry.subject, entry.agency)

    def apply(self, ws: UnitOfWork, entry: Entry) -> list[Outcome]:
        """Apply one entry; at `registered`, also what waited for it."""
        row = self.row(ws, entry)
        if row is not None:
            return [self._apply_fact(ws, row, entry, entry.index)]
        if entry.type != f"{self.kind}.registered":
            beyond = pending_events.keep(ws, entry)
            return [] if beyond is None else [beyond]
        row = self.register(ws, entry)
        facts = pending_events.take(ws, entry.subject)
        return [
            applied(entry, owner=row.owner),
            *(self._apply_fact(ws, row, fact, entry.index) for fact in facts),
        ]

    def _apply_fact(self, ws: UnitOfWork, row: Row, fact: Fact, found_index: int) -> Outcome:
        if fact.type == f"{self.kind}.registered":
            rule = "already-registered" if row.owner == fact.agency else "not-owner"
            return anomaly(fact, rule, {"owner": row.owner, "registered_index": row.first_index}, found_index)
        if fact.type != f"{self.kind}.reassigned" and fact.agency != row.owner:
            return anomaly(fact, "not-owner", {"owner": row.owner}, found_index)
        before = self.measure(row)
        broken = self.rules[fact.type](row, fact)
        if broken is not None:
            return anomaly(fact, broken, self.known(row), found_index)
        row.state = self.state(row)
        row.last_index = found_index
        row.count += 1
        ws.put(self.table, row)
        self.settle(ws, row, before, found_index)
        return applied(fact, found_index, row.owner)


def reassign(row: Registered, fact: Fact) -> str | None:
    """In any state, also of one that is cancelled or retired: another agency can still become its owner."""
    row.owner = fact.data["to"]
    return None
