"""What counts as begun and as completed among the plan's projects."""

from __future__ import annotations

from events.values.plan_figures import begun_and_completed


def test_a_project_has_begun_with_a_phase_and_is_completed_with_all_of_them() -> None:
    phases = [(0, 0), (1, 0), (0, 2), (1, 2), (0, 3)]
    projects = [
        {"started": started, "completed": completed, "phases": 3, "cancelled": False} for started, completed in phases
    ]
    assert begun_and_completed(projects) == (4, 1)
    cancelled = {"started": 1, "completed": 0, "phases": 3, "cancelled": True}
    assert begun_and_completed([*projects, cancelled]) == (4, 1), "it counts towards no target"
    assert begun_and_completed([]) == (0, 0)
