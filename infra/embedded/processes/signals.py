"""The platform's processes: the table behind `yesser up`, `compose.yaml` and `yesser status`.

A process is `yesser run NAME`. It serves `/healthz`, `/readyz` and `/metrics` on loopback at `YESSER_HEALTH_PORT`,
keeps its positions in PostgreSQL, and may be killed at any moment. Standbys are further copies of a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PlatformProcess:
    """A process and its purpose, in one sentence."""

    name: str
    purpose: str
    port_setting: str | None = None
    """The setting of the port on which it serves clients; None if it serves none."""


PROCESSES: Final = (
    PlatformProcess("registrar", "Validates, numbers, hashes and signs agencies' events: the national log."),
    PlatformProcess("relay", "Publishes the platform's events from the outbox, in order."),
    PlatformProcess("projections", "Keeps the plan at a glance."),
    PlatformProcess("campaigns", "Decides which awareness campaigns are due."),
    PlatformProcess("revenue", "Keeps the revenue-share ledger."),
    PlatformProcess("event-index", "Finds events by source, type, subject, agency and time."),
    PlatformProcess("gateway", "Accepts events over HTTP and gives signed receipts.", "YESSER_GATEWAY_PORT"),
)
"""Started in this order, stopped all at once."""

SERVICES: Final = ("kafka", "postgres")
"""The services that the processes need; started first, stopped last."""

NAMES: Final = (*SERVICES, *(process.name for process in PROCESSES))
