"""Figures of the plan that several rooms show: counted here, so that they mean the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def begun_and_completed(projects: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """How many of these projects (`yesser plan --json`) have begun, and how many have completed all their phases.

    A cancelled one counts towards no target.
    """
    going = [project for project in projects if not project["cancelled"]]
    begun = sum(project["started"] > 0 or project["completed"] > 0 for project in going)
    return begun, sum(project["completed"] == project["phases"] for project in going)
