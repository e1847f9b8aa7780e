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
class PendingCount:
    """How many facts wait for `subject`."""

    subject: str
    count: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class PendingAgency:
    """How many of them are of `agency`."""

    subject: str
    agency: str
    count: int


@dataclass(slots=True)
class PendingFact:
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


PENDING_COUNT: Final = Table("waiting_count", PendingCount, key=("subject",))
PENDING_AGENCY: Final = Table("waiting_agency", PendingAgency, key=("subject", "agency"))
PENDING_FACT: Final = Table("waiting_fact", PendingFact, key=("subject", "ordinal"))
TABLES: Final[tuple[Table[Any], ...]] = (PENDING_COUNT, PENDING_AGENCY, PENDING_FACT)
SQL_FILES: Final = (("consumers.projections.handlers", "pending_events.sql"),)


def need(subject: str) -> Need:
    """First round: how many wait."""
    return PENDING_COUNT, (subject,)


def need_agency(subject: str, agency: str) -> Need:
    """Second round, of a fact that may have to wait: how many of its agency wait."""
    return PENDING_AGENCY, (subject, agency)


def need_facts(ws: UnitOfWork, subject: str) -> Iterator[Need]:
    """Second round, at `registered`: the facts themselves."""
    waiting = ws.get(PENDING_COUNT, subject)
    if waiting is not None:
        yield from ((PENDING_FACT, (subject, ordinal)) for ordinal in range(waiting.count))


def keep(ws: UnitOfWork, fact: Fact) -> Anomaly | None:
    """Let a fact wait; the anomaly, where so many wait already."""
    waiting = ws.get(PENDING_COUNT, fact.subject) or PendingCount(fact.subject, 0, fact.index, fact.index)
    own = ws.get(PENDING_AGENCY, fact.subject, fact.agency) or PendingAgency(fact.subject, fact.agency, 0)
    if own.count >= FACTS_OF_AGENCY_MAX or waiting.count >= FACTS_MAX:
        known = {"waiting": waiting.count, "waiting_of_agency": own.count}
        return contradiction(fact, found_at(fact), "exceeds-waiting", known)
    event = {"type": fact.full_type}
    row = PendingFact(fact.subject, waiting.count, fact.index, fact.recorded, fact.agency, fact.type, event, fact.data)
    ws.put(PENDING_FACT, row)
    waiting.count += 1
    waiting.last_index = fact.index
    ws.put(PENDING_COUNT, waiting)
    own.count += 1
    ws.put(PENDING_AGENCY, own)
    return None


def take(ws: UnitOfWork, subject: str) -> list[PendingFact]:
    """All facts that wait for `subject`, in log order; they wait no longer."""
    waiting = ws.get(PENDING_COUNT, subject)
    if waiting is None:
        return []
    facts = []
    for ordinal in range(waiting.count):
        fact = ws.get(PENDING_FACT, subject, ordinal)
        if fact is None:
            raise LookupError(f"waiting_fact{(subject, ordinal)} is counted but not there: rebuild this consumer")
        facts.append(fact)
        ws.delete(PENDING_FACT, subject, ordinal)
    for agency in {fact.agency for fact in facts}:
        ws.delete(PENDING_AGENCY, subject, agency)
    ws.delete(PENDING_COUNT, subject)
    return facts
