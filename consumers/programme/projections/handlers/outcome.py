"""The outcome of applying a fact: it took effect (`Applied`) or contradicts what is known (`Anomaly`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from consumers.replay.fold.anomaly import Anomaly, Fact
from events.values.data import Data


@dataclass(slots=True)
class Applied:
    """A fact took effect at entry `found_index`: its own, or that of `registered` for one that was pending.

    The other members are of the fact's own entry, but for `owner`: who owned the project or service thereafter.
    """

    type: str
    index: int
    found_index: int
    agency: str
    subject: str
    data: Data
    recorded: str
    owner: str


Outcome: TypeAlias = Anomaly | Applied


def applied(fact: Fact, found_index: int | None = None, owner: str = "") -> Applied:
    """`fact` took effect, at its own entry where none is named."""
    found = fact.index if found_index is None else found_index
    return Applied(fact.type, fact.index, found, fact.agency, fact.subject, fact.data, fact.recorded, owner)
