"""The plan for people: bars, riyals to the halala, and every part of the document in both languages."""

from __future__ import annotations

from io import StringIO

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console, RenderableType

from consumers.documents.document import Name, document_of
from consumers.documents.programme.plan import Plan, PlanName
from consumers.programme.plan.commands import BAR_CELLS, anomalies_view, bar, plan_view
from consumers.programme.plan.document import NOT_JUDGED
from tests.every import every
from tests.oracle.fold import fold
from tests.oracle.history import MIXED, entries_from, generate


def printed(view: RenderableType, width: int = 140) -> str:
    out = StringIO()
    Console(file=out, width=width).print(view, crop=False)
    return out.getvalue()


@pytest.fixture(scope="module")
def plan() -> Plan:
    return document_of(Plan, fold(entries_from(generate(5, 600, MIXED))).plan)


@every(
    ("done", "target", "filled"),
    [(0, 10, 0), (5, 10, BAR_CELLS // 2), (10, 10, BAR_CELLS), (99, 10, BAR_CELLS), (1, 10_000, 0), (3, 0, 0)],
)
def test_a_bar_is_full_from_the_target_on(done: int, target: int, filled: int) -> None:
    assert bar(done, target).plain == "█" * filled + "░" * (BAR_CELLS - filled)


def test_every_part_of_the_plan_is_shown_in_both_languages(plan: Plan) -> None:
    name = Name("الخطة الخمسية", "Five-year plan")
    text = printed(plan_view(plan, PlanName(plan_id="A", name=name, starts_on="2005-01-01", ends_on="2009-12-31")))
    for part in ("الخطة الخمسية", "Five-year plan", "مشاريع البنى التحتية", "التطبيقات الوطنية", "المجموعة الثالثة"):
        assert part in text
    for part in ("المتخصصون", "الإذاعة", "الشراكة", "On all three channels", plan.partnerships[0].partnership_id):
        assert part in text
    assert "On all three channels" not in printed(plan_view(replace(plan, not_judged=NOT_JUDGED), None))


def test_national_applications_say_how_many_are_begun_completed_and_due(plan: Plan) -> None:
    projects = plan.national_applications.projects
    begun = sum(project.started > 0 or project.completed > 0 for project in projects)
    done = sum(project.completed == project.phases for project in projects)
    (line,) = (line for line in printed(plan_view(plan, None)).splitlines() if "National applications" in line)
    assert f"{done:,} / {plan.national_applications.target:,}" in line
    assert f"{begun} begun of {len(projects)} registered" in " ".join(printed(plan_view(plan, None), 200).split())


def test_on_a_narrow_screen_the_bars_go_the_details_stay_and_no_line_is_wider(plan: Plan) -> None:
    for width in (60, 80, 200):
        assert max(cell_len(line) for line in printed(plan_view(plan, None), width).splitlines()) <= width
    for width, has_bars in ((80, False), (200, True)):
        text = printed(plan_view(replace(plan, partnerships=()), None), width)
        assert [words in text for words in ("Details", "Columns that do not fit", "░")] == [True, False, has_bars]


def test_without_a_plan_and_without_anomalies_it_says_so() -> None:
    assert "No plan has been adopted yet" in printed(plan_view(document_of(Plan, fold([]).plan), None))
    assert "لا تناقضات" in printed(anomalies_view([]))
