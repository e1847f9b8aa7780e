"""The registrar as a process of `yesser run`; it imports its modules only when it is called."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.process.commands import Process
from infra.settings import Settings


def registrar(settings: Settings) -> Process:
    """The only writer of the national log."""
    from consumers.registrar.registrar import Registrar

    work = Registrar(settings, lambda: datetime.now(UTC))
    return work.run, work.readiness
