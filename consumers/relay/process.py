"""The relay as a process of `yesser run`; it imports its modules only when it is called."""

from __future__ import annotations

from infra.process.commands import Process
from infra.settings import Settings


def relay(settings: Settings) -> Process:
    """Publishes the platform's events."""
    from consumers.relay.relay import Relay

    work = Relay(settings)
    return work.run, work.readiness
