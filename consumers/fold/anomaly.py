"""An anomaly: an accepted event that contradicts what is known and therefore changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from events.wire.entry import Entry
from infra.postgres.unit_of_work import Table


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
    claimed: dict[str, Any]
    known: dict[str, Any]


# Each consumer that detects anomalies has its own table; only one consumer is responsible for an entry.
ANOMALY: Final = Table("anomaly", Anomaly, key=("index",), append_only=True, since="found_index")


def anomaly(entry: Entry, rule: str, known: dict[str, Any], found_index: int | None = None) -> Anomaly:
    """The anomaly of `entry` under `rule`; what it claimed is its data."""
    return Anomaly(
        entry.index,
        entry.index if found_index is None else found_index,
        rule,
        entry.full_type,
        entry.subject,
        entry.agency,
        entry.data,
        known,
    )
