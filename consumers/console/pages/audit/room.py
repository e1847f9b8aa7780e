"""What the pages of the room share: its path, the log's key that pages pin, and the checks that run."""

from __future__ import annotations

from typing import Final

from consumers.audit.port import read_verifier
from consumers.console.checks.jobs import Checks
from consumers.console.visit import Visit
from infra.log.signed_note import InvalidKey, Verifier
from infra.settings import Settings

ROOM: Final = "/audit"
CHECKERS: Final = ("office", "auditor")
"""Roles that may start a check of the whole log."""


def verifier_of(settings: Settings) -> Verifier | None:
    """The log's public key as its file has it; None where this machine has no such file."""
    try:
        return read_verifier(settings, None)
    except (InvalidKey, OSError):
        return None


def checks_of(visit: Visit) -> Checks:
    """The checks of this process."""
    state = visit.request.app.state
    if not hasattr(state, "checks"):
        state.checks = Checks(visit.parts.settings, visit.parts.clock)
    found: Checks = state.checks
    return found
