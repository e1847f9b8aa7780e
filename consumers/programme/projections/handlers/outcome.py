"""The outcome of applying a fact: it took effect (`Applied`) or contradicts what is known (`Anomaly`).

A fact is an entry, or the row of one that was pending until `registered`; the rules treat both alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from consumers.replay.fold.anomaly import Anomaly
from events.values.data import Data


class Fact(Protocol):
    """What the rules need of an entry, from the log or from the pending facts."""

    @property
    def index(self) -> int: ...
    @property
    def recorded(self) -> str: ...
    @property
    def agency(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def full_type(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def data(self) -> Data: ...


@dataclass(frozen=True, slots=True)
class AppliedAt:
    """The entry at which a fact is applied: its own, or that of `registered` for one that was pending."""

    index: int
    recorded: str


@dataclass(slots=True)
class Applied:
    """A fact took effect at entry `found_index`.

    `index`, `recorded` and `data` are of the fact's own entry; `details` has what only the state knows (owner, plan,
    group …).
    """

    type: str
    index: int
    found_index: int
    agency: str
    subject: str
    data: Data
    recorded: str
    found_recorded: str
    details: Data = field(default_factory=dict)


Outcome: TypeAlias = Anomaly | Applied


def found_at(fact: Fact) -> AppliedAt:
    """A fact that is applied at its own entry."""
    return AppliedAt(fact.index, fact.recorded)


def applied(fact: Fact, found: AppliedAt, details: Data) -> Applied:
    """`fact` took effect at `found`."""
    return Applied(
        fact.type,
        fact.index,
        found.index,
        fact.agency,
        fact.subject,
        fact.data,
        fact.recorded,
        found.recorded,
        details,
    )


def contradiction(fact: Fact, found: AppliedAt, rule: str, known: Data) -> Anomaly:
    """`fact` contradicts what is known; what it claimed is its data."""
    return Anomaly(fact.index, found.index, rule, fact.full_type, fact.subject, fact.agency, fact.data, known)
