"""The projections: progress of the plan, histories, services, training against quota, activity, and what contradicts.

Flows in: every entry of the log. Flows out: rows only; the projections decide nothing that leaves the platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from consumers.anomaly import ANOMALY, Anomaly
from consumers.consumer import Consumer
from consumers.projections import activity, history, occasions, plan, projects, rounds, services, training, waiting
from events.entry import Entry
from infra.outbox import OutboxEvent
from infra.tables import Need, WorkingSet

CERTIFIED: Final = "training.certified"
_ALL_JUDGES: Final = rounds.by_type((plan, projects, services, training, occasions))

JUDGES: Final = {name: domain for name, domain in _ALL_JUDGES.items() if name != CERTIFIED}
"""Which module judges which type. Certificates are taken by the batch; the rest of the log is only counted."""

_HISTORIC: Final = projects.TYPES | services.TYPES


def needs(ws: WorkingSet, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
    """The rows of a batch, in two rounds."""
    wanted = training.certified_needs(entry for entry in entries if entry.type == CERTIFIED)
    wanted.update(activity.needs(entries))
    judged = rounds.judged(JUDGES, entries)
    wanted.update(rounds.first_needs(judged))
    yield wanted
    yield rounds.second_needs(ws, judged)


def fold(ws: WorkingSet, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Apply a batch."""
    activity.count(ws, entries)
    tallies: training.Tallies = {}
    for entry in entries:
        if entry.type == CERTIFIED:
            contradicted = training.certify(ws, entry, tallies)
            if contradicted is not None:
                ws.append(ANOMALY, contradicted)
        elif entry.type in JUDGES:
            _judge(ws, entry)
    training.count_certified(ws, tallies)
    return []


def _judge(ws: WorkingSet, entry: Entry) -> None:
    for outcome in JUDGES[entry.type].apply(ws, entry):
        if isinstance(outcome, Anomaly):
            ws.append(ANOMALY, outcome)
        elif outcome.type in _HISTORIC:
            history.remember(ws, outcome)


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
    rules_version=rounds.RULES_VERSION,
)
