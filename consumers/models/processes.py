"""The consumers as processes of `yesser run` (entry points of the group `yesser.processes`).

Each factory takes the settings and returns a `Process`.
"""

from __future__ import annotations

from consumers.models.registry import CONSUMERS
from consumers.replay.pipeline.pipeline import Host, Pipeline
from infra.process.commands import Process
from infra.settings import Settings


def projections(settings: Settings) -> Process:
    """The plan at a glance."""
    return _consumer("projections", settings)


def campaigns(settings: Settings) -> Process:
    """Triggers awareness campaigns."""
    return _consumer("campaigns", settings)


def revenue(settings: Settings) -> Process:
    """The revenue-share ledger."""
    return _consumer("revenue", settings)


def event_index(settings: Settings) -> Process:
    """Events by source, type, subject, agency and time."""
    return _consumer("event-index", settings)


def consumers(settings: Settings) -> Process:
    """All consumers in one process, for machines with few cores."""
    host = Host(tuple(CONSUMERS.values()), settings)
    return host.run, host.readiness


def _consumer(name: str, settings: Settings) -> Process:
    pipeline = Pipeline(CONSUMERS[name], settings)
    return pipeline.run, pipeline.readiness
