"""The consumers' processes, as `yesser run` starts them (entry points of the group `yesser.processes`).

Each factory takes the settings and returns a `Process`. It imports its modules only when it is called.
"""

from __future__ import annotations

from datetime import UTC, datetime

from infra.process.commands import Process
from infra.settings import Settings


def registrar(settings: Settings) -> Process:
    """The only writer of the national log."""
    from consumers.registrar.registrar import Registrar

    work = Registrar(settings, lambda: datetime.now(UTC))
    return work.run, work.readiness


def relay(settings: Settings) -> Process:
    """Publishes the platform's events."""
    from consumers.relay.relay import Relay

    work = Relay(settings)
    return work.run, work.readiness


def delivery(settings: Settings) -> Process:
    """Brings campaign triggers to the teams, and sets the timers of campaigns."""
    from consumers.delivery.delivery import Delivery

    work = Delivery(settings)
    return work.run, work.readiness


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
    from consumers.pipeline.host import Host
    from consumers.registry import CONSUMERS

    host = Host(tuple(CONSUMERS.values()), settings)
    return host.run, host.readiness


def _consumer(name: str, settings: Settings) -> Process:
    from consumers.pipeline.pipeline import Pipeline
    from consumers.registry import CONSUMERS

    pipeline = Pipeline(CONSUMERS[name], settings)
    return pipeline.run, pipeline.readiness
