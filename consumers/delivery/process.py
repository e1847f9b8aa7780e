"""The delivery as a process of `yesser run`; it imports its modules only when it is called."""

from __future__ import annotations

from infra.process.commands import Process
from infra.settings import Settings


def delivery(settings: Settings) -> Process:
    """Brings campaign triggers to the teams, and sets the timers of campaigns."""
    from consumers.delivery.delivery import Delivery

    work = Delivery(settings)
    return work.run, work.readiness
