"""The projections: progress of the plan, histories, services, training against quota, activity, and what contradicts.

Flows in: every entry of the log. Flows out: rows only; the projections decide nothing that leaves the platform.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from consumers.anomaly import ANOMALY, Anomaly
from consumers.consumer import Consumer
from consumers.projections import activity, history, occasions, plan, projects, rounds, services, training, waiting
from events.entry import Entry
from infra.outbox import OutboxEvent
from infra.tables import Need, WorkingSet

JUDGES: Final = rounds.by_type((plan, projects, services, training, occasions))
"""Which module judges which type; the rest of the log is only counted."""

_HISTORIC: Final = projects.TYPES | services.TYPES


def needs(ws: WorkingSet, entries: Sequence[Entry]) -> Iterator[set[Need]]:
    """The rows of a batch, in two rounds."""
    judged = rounds.judged(JUDGES, entries)
    yield rounds.first_needs(judged) | set(activity.needs(entries))
    yield rounds.second_needs(ws, judged)


def fold(ws: WorkingSet, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Apply a batch."""
    activity.count(ws, entries)
    for entry in entries:
        domain = JUDGES.get(entry.type)
        if domain is training and entry.type == "training.certified":
            contradicted = training.certify(ws, entry)
            if contradicted is not None:
                ws.append(ANOMALY, contradicted)
        elif domain is not None:
            for outcome in domain.apply(ws, entry):
                if isinstance(outcome, Anomaly):
                    ws.append(ANOMALY, outcome)
                elif outcome.type in _HISTORIC:
                    history.remember(ws, outcome)
    return []


CONSUMER: Final = Consumer(
    name="projections",
    schema="projections",
    tables=(
        *plan.TABLES,
        *projects.TABLES,
        *services.TABLES,
        *waiting.TABLES,
        *training.TABLES,
        *occasions.TABLES,
        *activity.TABLES,
        *history.TABLES,
        ANOMALY,
    ),
    sql_files=(
        *plan.SQL_FILES,
        *projects.SQL_FILES,
        *services.SQL_FILES,
        *waiting.SQL_FILES,
        *training.SQL_FILES,
        *occasions.SQL_FILES,
        *activity.SQL_FILES,
        *history.SQL_FILES,
        ("consumers", "anomaly.sql"),
    ),
    needs=needs,
    fold=fold,
)
