"""The history of each project, phase and service, in the order in which facts took effect. Append-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from consumers.programme.projections.handlers.outcome import Applied
from events.values.data import Data
from infra.postgres.unit_of_work import Table, UnitOfWork


@dataclass(slots=True)
class HistoryStep:
    """One applied fact. It took effect at `found_index`, which for a pending fact is that of `registered`."""

    index: int
    found_index: int
    subject: str
    type: str
    agency: str
    happened_on: str | None
    phase: int | None
    data: Data


HISTORY: Final = Table("history", HistoryStep, key=("index",), append_only=True, since="found_index")
TABLES: Final[tuple[Table[Any], ...]] = (HISTORY,)
SQL_FILES: Final = (("consumers.programme.projections.handlers", "history.sql"),)


def remember(ws: UnitOfWork, step: Applied) -> None:
    """Add a fact about a project or service."""
    data = step.data
    ws.append(
        HISTORY,
        HistoryStep(
            step.index, step.found_index, step.subject, step.type, step.agency, data.get("on"), data.get("phase"), data
        ),
    )
