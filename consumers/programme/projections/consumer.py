"""The projections: progress of the plan, histories, services, training against quota, activity, and anomalies.

Flows in: every log entry. Flows out: rows only; the projections decide no platform events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from types import ModuleType
from typing import Final

from consumers.programme.projections.handlers import (
    activity,
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
_DOMAINS: Final = (plan, projects, services, training, one_time_events)
HANDLERS: Final[dict[str, ModuleType]] = {
    name: domain for domain in _DOMAINS for name in domain.TYPES if name != CERTIFIED
}
"""Event type → module. Certificates are applied per batch; other types are only counted."""

_HISTORIC: Final = projects.TYPES | services.TYPES
_DEPENDENT: Final = _HISTORIC | {"training.revoked"}
_STORED: Final = (plan, projects, services, pending_events, training, one_time_events, activity, history)


def required_keys(ws: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
    """The keys of a batch, in two rounds."""
    wanted = training.certified_keys(entry for entry in entries if entry.type == CERTIFIED)
    wanted.update(activity.required_keys(entries))
    for entry in entries:
        if entry.type in HANDLERS:
            wanted.update(HANDLERS[entry.type].required_keys(entry))
    wanted.add(anomaly.COUNTED)
    yield wanted
    yield chain.from_iterable(  # lazily, because pending facts may be very many
        HANDLERS[entry.type].dependent_keys(ws, entry) for entry in entries if entry.type in _DEPENDENT
    )


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
    tables=(*chain.from_iterable(module.TABLES for module in _STORED), *anomaly.TABLES),
    sql_files=(*chain.from_iterable(module.SQL_FILES for module in _STORED), anomaly.SQL_FILE, PAST_ROWS),
    required_keys=required_keys,
    fold=fold,
    version=version_of("projections"),
)
