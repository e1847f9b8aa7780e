"""The chart of launches: within its frame, from the plan's first day to its last."""

from __future__ import annotations

from msgspec.structs import replace

from consumers.console.pages.plan.overview import HEIGHT, LEFT, RIGHT, TOP, WIDTH, launches_chart, round_step
from consumers.documents.programme.plan import Launches
from tests.every import every
from tests.world.plan import pace_of

PACE = pace_of(
    measured_on="2006-12-03",
    days=1_773,
    launches=[{"month": "2005-02", "launched": 6}, {"month": "2006-12", "launched": 94}],
)


def points(text: str) -> list[tuple[int, int]]:
    return [(int(x), int(y)) for x, _, y in (point.partition(",") for point in text.split())]


def test_the_line_rises_in_the_months_of_launches_and_ends_at_the_day_of_measuring() -> None:
    chart = launches_chart(PACE, 150)
    assert chart is not None
    line = points(chart.launched)
    assert [x for x, _ in line] == sorted(x for x, _ in line)
    assert [y for _, y in line] == sorted((y for _, y in line), reverse=True)
    assert line[-1][0] == chart.today_x
    assert points(chart.even) == [(LEFT, line[0][1]), (WIDTH - RIGHT, TOP)]
    assert [year for _, year in chart.years] == [2005, 2006, 2007, 2008]
    assert chart.rows == [("2005-02", 6, 6), ("2006-12", 94, 100)]


@every("launched_on", ["1999-01", "2012-05"])
def test_dates_outside_the_plan_stay_within_the_frame(launched_on: str) -> None:
    chart = launches_chart(replace(PACE, launches=(Launches(month=launched_on, launched=500),)), 150)
    assert chart is not None
    assert all(LEFT <= x <= WIDTH - RIGHT and TOP <= y < HEIGHT for x, y in points(chart.launched))


def test_without_a_plan_or_a_launch_there_is_no_chart_and_steps_of_its_axis_are_round() -> None:
    assert launches_chart(replace(PACE, plan=None), 150) is None
    assert launches_chart(replace(PACE, launches=()), 150) is None
    assert [round_step(top) for top in (1, 5, 6, 100, 150, 151, 260, 1_000_000)] == [1, 1, 2, 20, 50, 50, 100, 200_000]
