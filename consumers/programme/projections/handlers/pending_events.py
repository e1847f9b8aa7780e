"""Facts about a project or service that is not registered yet: stored, and applied in log order at `registered`.

They are stored one row each under (subject, ordinal), with their counts in rows of their own, so that storing one has a
constant cost. Their number is limited, so that applying them takes a bounded time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.replay.fold.anomaly import Anomaly, Fact, anomaly
from events.values.data import Data
from infra.postgres.unit_of_work import Need, Table, UnitOfWork

FACTS_OF_AGENCY_MAX: Final = 1_000
"""Pending facts of one agency for one project or service."""
FACTS_MAX: Final = 10_000
"""Pending facts of all agencies for one project or service."""


@dataclass(slots=True)
class PendingCount:
    """The number of facts pending for `subject`."""

    subject: str
    count: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class PendingAgency:
    """The number of them from `agency`."""

    subject: str
    agency: str
    count: int
    first_index: int


@dataclass(slots=True)
class PendingFact:
    """One of them, with all that the rules need of its entry. `event` holds only the envelope's full type."""

    subject: str
    ordinal: int
    index: int
    recorded: str
    agency: str
    type: str
    event: Data
    data: Data

    @property
    def full_type(self) -> str:
        """The envelope's type."""
        full: str = self.event["type"]
        return full


PENDING_COUNT: Final = Table("waiting_count", PendingCount, key=("subject",), transient=True)
PENDING_AGENCY: Final = Table("waiting_agency", PendingAgency, key=("subject", "agency"), transient=True)
PENDING_FACT: Final = Table("waiting_fact", PendingFact, key=("subject", "ordinal"), transient=True)
TABLES: Final[tuple[Table[Any], ...]] = (PENDING_COUNT, PENDING_AGENCY, PENDING_FACT)
SQL_FILES: Final = (("consumers.programme.projections.handlers", "pending_events.sql"),)


def need(subject: str) -> Need:
    """First round: the number pending."""
    return PENDING_COUNT, (subject,)


def need_agency(subject: str, agency: str) -> Need:
    """Second round, for a fact that may become pending: the number pending of its agency."""
    return PENDING_AGENCY, (subject, agency)


def need_facts(ws: UnitOfWork, subject: str) -> Iterator[Need]:
    """Second round, at `registered`: the facts themselves."""
    waiting = ws.get(PENDING_COUNT, subject)
    if waiting is not None:
        yield from ((PENDING_FACT, (subject, ordinal)) for ordinal in range(waiting.count))


def keep(ws: UnitOfWork, fact: Fact) -> Anomaly | None:
    """Store a pending fact; returns the anomaly if the limit is reached."""
    waiting = ws.get(PENDING_COUNT, fact.subject) or PendingCount(fact.subject, 0, fact.index, fact.index)
    own = ws.get(PENDING_AGENCY, fact.subject, fact.agency) or PendingAgency(fact.subject, fact.agency, 0, fact.index)
    if own.count >= FACTS_OF_AGENCY_MAX or waiting.count >= FACTS_MAX:
        known = {"waiting": waiting.count, "waiting_of_agency": own.count}
        return anomaly(fact, "exceeds-waiting", known)
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
    """Remove and return all facts pending for `subject`, in log order."""
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
