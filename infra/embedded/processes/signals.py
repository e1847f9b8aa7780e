"""The platform's processes: the table behind `yesser up`, `compose.yaml` and `yesser status`.

A process is `yesser run NAME`. It serves `/healthz`, `/readyz` and `/metrics` on loopback at `YESSER_HEALTH_PORT`,
keeps its positions in PostgreSQL, and may be killed at any moment. Standbys are further copies of a process.

The consumers run in one process where cores are few, and each in its own elsewhere (`usual_parts`).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from infra.principals import CONSUMERS


@dataclass(frozen=True, slots=True)
class PlatformProcess:
    """A process and its purpose, in one sentence."""

    name: str
    purpose: str
    port_setting: str | None = None
    """The setting of the port on which it serves clients; None if it serves none."""
    replaces: tuple[str, ...] = ()
    """The processes whose work it does in one."""
    setting: str | None = None
    """The setting without which it does not run."""


PROCESSES: Final = (
    PlatformProcess("registrar", "Validates, numbers, hashes and signs agencies' events: the national log."),
    PlatformProcess("relay", "Publishes the platform's events from the outbox, in order."),
    PlatformProcess("projections", "Keeps the plan at a glance."),
    PlatformProcess("campaigns", "Decides which awareness campaigns are due."),
    PlatformProcess("revenue", "Keeps the revenue-share ledger."),
    PlatformProcess("event-index", "Finds events by source, type, subject, agency and time."),
    PlatformProcess(
        "consumers",
        "Runs all consumers in one process: the log is read and parsed once.",
        replaces=CONSUMERS,
    ),
    PlatformProcess("delivery", "Brings campaign triggers to the teams by webhook and e-mail, and sets timers."),
    PlatformProcess("gateway", "Accepts events over HTTP and gives signed receipts.", "YESSER_GATEWAY_PORT"),
    PlatformProcess("console", "Shows the programme in a browser, in Arabic and English.", "YESSER_CONSOLE_PORT"),
    PlatformProcess("backup", "Receives the database's WAL, and makes and checks backups.", setting="YESSER_BACKUP"),
)
"""Started in this order, stopped all at once."""

SERVICES: Final = ("kafka", "postgres")
"""The services that the processes need; started first, stopped last."""

NAMES: Final = (*SERVICES, *(process.name for process in PROCESSES))

OWN_WORK: Final = tuple(process for process in PROCESSES if not process.replaces and process.setting is None)
"""The processes that every deployment has, each consumer by itself."""
SEPARATE: Final = frozenset({*SERVICES, *(process.name for process in OWN_WORK)})
"""Everything, with a process for each consumer."""

FEW_CORES: Final = 4


def usual_parts(cores: int | None = None, named: Collection[str] = ()) -> frozenset[str]:
    """Everything: with one process for all consumers on up to `FEW_CORES` cores, unless `named` has one of them."""
    if (cores or os.cpu_count() or 1) > FEW_CORES:
        return SEPARATE
    replaced = {name for process in PROCESSES for name in process.replaces}
    if replaced.intersection(named):
        return SEPARATE
    return SEPARATE - replaced | {process.name for process in PROCESSES if process.replaces}
