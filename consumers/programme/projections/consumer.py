"""The projections: progress of the plan, histories, services, training against quota, activity, and anomalies.

Flows in: every log entry. Flows out: rows only; the projections decide no platform events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from consumers.programme.projections.handlers import (
    activity,
    composition,
    history,
    one_time_events,
    pending_events,
    plan,
    projects,
    services,
    training,
)
from consumers.replay.fold import anomaly
from consumers.replay.fold.anomaly import Anomaly
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import SQL_FILE as PAST_ROWS
from consumers.replay.fold.version import version_of
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import Need, UnitOfWork

CERTIFIED: Final = "training.certified"
_ALL_HANDLERS: Final = composition.by_type((plan, projects, services, training, one_time_events))

HANDLERS: Final = {name: domain for name, domain in _ALL_HANDLERS.items() if name != CERTIFIED}
"""Event type → module. Certificates are applied per batch; other types are only counted."""

_HISTORIC: Final = projects.TYPES | services.TYPES


def required_keys(ws: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
    """The keys of a batch, in two rounds."""
    wanted = training.certified_keys(entry for entry in entries if entry.type == CERTIFIED)
    wanted.update(activity.required_keys(entries))
    handled = composition.handled(HANDLERS, entries)
    wanted.update(composition.required_keys(handled))
    wanted.add(anomaly.COUNTED)
    yield wanted
    yield composition.dependent_keys(ws, handled)


def fold(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Apply a batch."""
    activity.count(ws, entries)
    tallies: training.Tallies = {}
    for entry in entries:
        if entry.type == CERTIFIED:
            contradicted = training.certify(ws, entry, tallies)
            if contradicted is not None:
                anomaly.report(ws, contradicted)
        elif entry.type in HANDLERS:
            _apply(ws, entry)
    training.count_certified(ws, tallies)
    return []


def _apply(ws: UnitOfWork, entry: Entry) -> None:
    for outcome in HANDLERS[entry.type].apply(ws, entry):
        if isinstance(outcome, Anomaly):
            anomaly.report(ws, outcome)
        elif outcome.type in _HISTORIC:
            history.remember(ws, outcome)


CONSUMER: Final = Consumer(
    name="projections",
    schema="projections",
    tables=(
        *plan.TABLES,
        *projects.TABLES,
        *services.TABLES,
        *pending_events.TABLES,
        *training.TABLES,
        *one_time_events.TABLES,
        *activity.TABLES,
        *history.TABLES,
        *anomaly.TABLES,
    ),
    sql_files=(
        *plan.SQL_FILES,
        *projects.SQL_FILES,
        *services.SQL_FILES,
        *pending_events.SQL_FILES,
        *training.SQL_FILES,
        *one_time_events.SQL_FILES,
        *activity.SQL_FILES,
        *history.SQL_FILES,
        anomaly.SQL_FILE,
        PAST_ROWS,
    ),
    required_keys=required_keys,
    fold=fold,
    version=version_of("projections"),
)
