"""An anomaly: an accepted event that contradicts what is known and therefore changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from events.values.data import Data
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class Anomaly:
    """`found_index` is its own index or, for a fact that was pending, that of `registered`.

    `claimed` and `known` are free-form objects with both sides.
    """

    index: int
    found_index: int
    rule: str
    type: str
    subject: str
    agency: str
    claimed: Data
    known: Data


@dataclass(slots=True)
class AnomalyCount:
    """The only row of its table. The indexes are those of the entries at which the first and the last were found."""

    slot: int
    count: int
    first_index: int
    last_index: int


# Each consumer that detects anomalies has its own tables; only one consumer is responsible for an entry.
ANOMALY: Final = Table("anomaly", Anomaly, key=("index",), append_only=True, since="found_index")
ANOMALY_COUNT: Final = Table("anomaly_count", AnomalyCount, key=("slot",))
TABLES: Final = (ANOMALY, ANOMALY_COUNT)
SQL_FILE: Final = ("consumers.replay.fold", "anomaly.sql")
_SLOT: Final = 1
COUNTED: Final[Need] = (ANOMALY_COUNT, (_SLOT,))
"""What a batch needs that may find anomalies."""


class Fact(Protocol):
    """What the rules need of an entry: one of the log, or the row of one that was pending until `registered`."""

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


def anomaly(fact: Fact, rule: str, known: Data, found_index: int | None = None) -> Anomaly:
    """The anomaly of `fact` under `rule`, found at its own entry or at that of `found_index`; what it claimed is its
    data."""
    found = fact.index if found_index is None else found_index
    return Anomaly(fact.index, found, rule, fact.full_type, fact.subject, fact.agency, fact.data, known)


def report(rows: UnitOfWork, found: Anomaly) -> None:
    """Store an anomaly, and count it."""
    rows.append(ANOMALY, found)
    counted = rows.get(ANOMALY_COUNT, _SLOT) or AnomalyCount(_SLOT, 0, found.found_index, found.found_index)
    counted.count += 1
    counted.last_index = found.found_index
    rows.put(ANOMALY_COUNT, counted)
