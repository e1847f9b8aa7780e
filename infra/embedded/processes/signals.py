"""The platform's processes: the one table that `yesser up`, `compose.yaml` and the status page go by.

A process is `yesser run NAME`. It serves `/healthz`, `/readyz` and `/metrics` on loopback at `YESSER_HEALTH_PORT`,
keeps its positions in PostgreSQL, and may be killed at any moment. Standbys are further copies of the same process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PlatformProcess:
    """A process and what it does, in one sentence."""

    name: str
    purpose: str
    port_setting: str | None = None
    """The setting that tells it where to serve others; None for a process that serves nobody."""


PROCESSES: Final = (
    PlatformProcess("registrar", "Numbers, checks, hashes and signs what agencies claim: the national log."),
    PlatformProcess("relay", "Publishes what the platform decided, from the outbox, in order."),
    PlatformProcess("projections", "Keeps the plan at a glance."),
    PlatformProcess("campaigns", "Decides which awareness campaigns must begin."),
    PlatformProcess("revenue", "Keeps the revenue-share ledger."),
    PlatformProcess("event-index", "Finds events by source, type, subject, agency and time."),
    PlatformProcess("gateway", "The agencies' door: takes events over HTTP and gives receipts.", "YESSER_GATEWAY_PORT"),
)
"""Started in this order, stopped all at once."""

SERVICES: Final = ("kafka", "postgres")
"""What the processes stand on; started first, stopped last."""

NAMES: Final = (*SERVICES, *(process.name for process in PROCESSES))
