"""Facts about a project or service that is not registered yet: kept, and handed out in log order at `registered`.

They are stored one row each under (subject, ordinal), with their number in a row of its own, so that keeping one costs
the same however many wait already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.projections.applied import Fact
from infra.tables import Need, Table, WorkingSet


@dataclass(slots=True)
class WaitingCount:
    """How many facts wait for `subject`."""

    subject: str
    count: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class WaitingFact:
    """One of them, with all that the rules need of its entry. `event` keeps the envelope's full type only."""

    subject: str
    ordinal: int
    index: int
    recorded: str
    agency: str
    type: str
    event: dict[str, Any]
    data: dict[str, Any]

    @property
    def full_type(self) -> str:
        """The envelope's type."""
        full: str = self.event["type"]
        return full


WAITING_COUNT: Final = Table("waiting_count", WaitingCount, key=("subject",))
WAITING_FACT: Final = Table("waiting_fact", WaitingFact, key=("subject", "ordinal"))
TABLES: Final[tuple[Table[Any], ...]] = (WAITING_COUNT, WAITING_FACT)
SQL_FILES: Final = (("consumers.projections", "waiting.sql"),)


def need(subject: str) -> Need:
    """First round: how many wait."""
    return WAITING_COUNT, (subject,)


def need_facts(ws: WorkingSet, subject: str) -> Iterator[Need]:
    """Second round, at `registered`: the facts themselves."""
    waiting = ws.get(WAITING_COUNT, subject)
    if waiting is not None:
        yield from ((WAITING_FACT, (subject, ordinal)) for ordinal in range(waiting.count))


def keep(ws: WorkingSet, fact: Fact) -> None:
    """Let a fact wait."""
    waiting = ws.get(WAITING_COUNT, fact.subject)
    if waiting is None:
        waiting = WaitingCount(fact.subject, 0, fact.index, fact.index)
    event = {"type": fact.full_type}
    row = WaitingFact(fact.subject, waiting.count, fact.index, fact.recorded, fact.agency, fact.type, event, fact.data)
    ws.put(WAITING_FACT, row)
    waiting.count += 1
    waiting.last_index = fact.index
    ws.put(WAITING_COUNT, waiting)


def take(ws: WorkingSet, subject: str) -> list[WaitingFact]:
    """All facts that wait for `subject`, in log order; they wait no longer."""
    waiting = ws.get(WAITING_COUNT, subject)
    if waiting is None:
        return []
    facts = []
    for ordinal in range(waiting.count):
        fact = ws.get(WAITING_FACT, subject, ordinal)
        if fact is None:
            raise LookupError(f"waiting_fact{(subject, ordinal)} is counted but not there: rebuild this consumer")
        facts.append(fact)
        ws.delete(WAITING_FACT, subject, ordinal)
    ws.delete(WAITING_COUNT, subject)
    return facts
