"""Facts about a project or service that is not registered yet: kept, and handed out in log order at `registered`.

They are stored one row each under (subject, ordinal), with their numbers in rows of their own, so that keeping one
costs the same however many wait already. How many may wait is bounded, so that handing them out takes a bounded time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.fold.anomaly import Anomaly
from consumers.projections.handlers.outcome import Fact, contradiction, found_at
from infra.postgres.unit_of_work import Need, Table, UnitOfWork

FACTS_OF_AGENCY_MAX: Final = 1_000
"""So many facts of one agency wait for one project or service."""
FACTS_MAX: Final = 10_000
"""So many facts of all agencies wait for one project or service."""


@dataclass(slots=True)
class WaitingCount:
    """How many facts wait for `subject`."""

    subject: str
    count: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class WaitingAgency:
    """How many of them are of `agency`."""

    subject: str
    agency: str
    count: int


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
WAITING_AGENCY: Final = Table("waiting_agency", WaitingAgency, key=("subject", "agency"))
WAITING_FACT: Final = Table("waiting_fact", WaitingFact, key=("subject", "ordinal"))
TABLES: Final[tuple[Table[Any], ...]] = (WAITING_COUNT, WAITING_AGENCY, WAITING_FACT)
SQL_FILES: Final = (("consumers.projections.handlers", "pending_events.sql"),)


def need(subject: str) -> Need:
    """First round: how many wait."""
    return WAITING_COUNT, (subject,)


def need_agency(subject: str, agency: str) -> Need:
    """Second round, of a fact that may have to wait: how many of its agency wait."""
    return WAITING_AGENCY, (subject, agency)


def need_facts(ws: UnitOfWork, subject: str) -> Iterator[Need]:
    """Second round, at `registered`: the facts themselves."""
    waiting = ws.get(WAITING_COUNT, subject)
    if waiting is not None:
        yield from ((WAITING_FACT, (subject, ordinal)) for ordinal in range(waiting.count))


def keep(ws: UnitOfWork, fact: Fact) -> Anomaly | None:
    """Let a fact wait; the anomaly, where so many wait already."""
    waiting = ws.get(WAITING_COUNT, fact.subject) or WaitingCount(fact.subject, 0, fact.index, fact.index)
    own = ws.get(WAITING_AGENCY, fact.subject, fact.agency) or WaitingAgency(fact.subject, fact.agency, 0)
    if own.count >= FACTS_OF_AGENCY_MAX or waiting.count >= FACTS_MAX:
        known = {"waiting": waiting.count, "waiting_of_agency": own.count}
        return contradiction(fact, found_at(fact), "exceeds-waiting", known)
    event = {"type": fact.full_type}
    row = WaitingFact(fact.subject, waiting.count, fact.index, fact.recorded, fact.agency, fact.type, event, fact.data)
    ws.put(WAITING_FACT, row)
    waiting.count += 1
    waiting.last_index = fact.index
    ws.put(WAITING_COUNT, waiting)
    own.count += 1
    ws.put(WAITING_AGENCY, own)
    return None


def take(ws: UnitOfWork, subject: str) -> list[WaitingFact]:
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
    for agency in {fact.agency for fact in facts}:
        ws.delete(WAITING_AGENCY, subject, agency)
    ws.delete(WAITING_COUNT, subject)
    return facts
