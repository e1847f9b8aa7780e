"""What counts as begun and as completed among the plan's projects."""

from __future__ import annotations

from events.values.plan_figures import begun_and_completed


def test_a_project_has_begun_with_a_phase_and_is_completed_with_all_of_them() -> None:
    phases = [(0, 0), (1, 0), (0, 2), (1, 2), (0, 3)]
    projects = [(3, started, completed, False) for started, completed in phases]
    assert begun_and_completed(projects) == (4, 1)
    assert begun_and_completed([*projects, (3, 1, 0, True)]) == (4, 1), "it counts towards no target"
    assert begun_and_completed([]) == (0, 0)
