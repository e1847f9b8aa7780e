"""Figures of the plan that several rooms show: counted here, so that they mean the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

COUNTED: Final = ("phases", "started", "completed", "cancelled")
"""The members of a project that are counted."""


def begun_and_completed(projects: Iterable[tuple[int, int, int, bool]]) -> tuple[int, int]:
    """How many of these projects (`COUNTED` of each) have begun, and how many have completed all their phases.

    A cancelled one counts towards no target.
    """
    begun = finished = 0
    for phases, started, completed, cancelled in projects:
        if not cancelled:
            begun += started > 0 or completed > 0
            finished += completed == phases
    return begun, finished
