"""The overview of the plan: each figure against its target and an even pace, and what is late."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from consumers.console.pages.plan.overview import (
    PROJECTS_SHOWN_MAX,
    Line,
    Overview,
    agencies_behind,
    expected_by,
    explanation,
)
from consumers.console.pages.plan.routes import figures_csv
from consumers.documents.document import Name
from consumers.documents.programme.plan import AGENCIES, AgencyPace
from consumers.documents.tables import csv_file
from consumers.explain.shown_models import models
from consumers.programme.plan.pace import without_plan
from tests.every import every
from tests.world.plan import PROJECT, pace_of, plan_of

WITHOUT_PLAN = without_plan(900, None)


def test_of_many_applications_the_first_are_listed_and_all_are_counted() -> None:
    count = PROJECTS_SHOWN_MAX + 3
    many = [{**PROJECT, "project_id": f"A-{number:02}"} for number in range(count)]
    shown = Overview(plan_of(national_applications={"target": 3, "projects": many}), pace_of(), None)
    assert [project.project_id for project, _ in shown.projects] == [f"A-{n:02}" for n in range(PROJECTS_SHOWN_MAX)]
    assert (shown.projects_more, shown.begun) == (3, count)
    assert (shown.applications.done, shown.applications.target) == (0, 3), "as `yesser plan` counts them"
    figures = {"services": 10, "launched": 9, "expected_launched": 5, "phases": 0, "completed": 0}
    agencies = [{"agency": f"agency-{n}", **figures, "expected_completed": 0} for n in range(52)]
    of_agencies = Overview(plan_of(), pace_of(agencies=agencies), None)
    assert (len(of_agencies.agencies), of_agencies.agencies_more) == (40, 12)


def test_what_is_done_is_compared_with_an_even_pace() -> None:
    shown = Overview(plan_of(), pace_of(), None)
    assert (shown.infrastructure.expected, shown.infrastructure.state) == (4, "ok")
    assert (shown.applications.done, shown.applications.target) == (0, 3)
    assert (shown.services.done, shown.services.expected, shown.services.behind) == (90, 105, 15)
    ((_, _, [(line, _)]),) = shown.training
    assert (line.expected, line.state) == (177, "late"), "the 177th of the year's 355 days"
    assert [line.full.en for line in shown.late] == [
        "National applications",
        "Services launched",
        "Training 1426 AH, use",
    ]
    assert shown.begun == 1, "a cancelled application is not on its way to the target"


def years(calendar: str, *numbers: int) -> list[dict[str, Any]]:
    seats = {"track": "usage", "quota": 355, "certified": 0, "revoked": 0, "net": 0}
    return [{"calendar": calendar, "year": year, **seats} for year in numbers]


def test_the_year_of_training_that_runs_is_shown_in_each_calendar() -> None:
    hijri = years("umm-al-qura", *range(1426, 1431))
    shown = Overview(plan_of(training=hijri), pace_of(), None)
    assert [year for _, year, _ in shown.training_shown] == [1426, 1427, 1428, 1429]
    both = Overview(plan_of(training=[*years("gregorian", 2004, 2005, 2006), *hijri]), pace_of(), None)
    assert [year for _, year, _ in both.training_shown] == [2004, 2005, 2006, 1426]
    assert len(both.training) == 8
    shown = Overview(plan_of(training=hijri), WITHOUT_PLAN, None)
    assert [year for _, year, _ in shown.training_shown] == [*range(1427, 1431)]


@every(
    ("done", "target", "due", "state"),
    [(5, 5, 5, "done"), (4, 5, 4, "ok"), (3, 5, 4, "late"), (0, 0, 0, "open"), (0, 5, None, "open"), (7, 5, 1, "done")],
)
def test_the_state_of_a_figure(done: int, target: int, due: int | None, state: str) -> None:
    assert Line(Name("", ""), done, target, due, "").state == state


def test_a_quota_is_spread_over_its_year_and_without_a_plan_nothing_is_late() -> None:
    shown = Overview(plan_of(), WITHOUT_PLAN, None)
    assert not shown.late
    assert {shown.infrastructure.state, shown.services.state} == {"open"}
    assert expected_by(100, "gregorian", 2006, "2005-12-31") == 0
    assert expected_by(365, "gregorian", 2006, "2006-01-01") == 1
    assert expected_by(100, "gregorian", 2006, "2006-12-31") == expected_by(100, "gregorian", 2006, "2009-01-01") == 100
    assert expected_by(100, "umm-al-qura", 1700, "2006-01-01") is None, "outside the table"


def test_every_figure_leads_to_an_explanation_that_exists() -> None:
    shown = Overview(plan_of(), pace_of(), None)
    lines = [shown.infrastructure, shown.applications, shown.services, shown.everywhere, *shown.awareness]
    lines += [line for line, _ in shown.groups] + [line for _, _, rows in shown.training for line, _ in rows]
    addresses = [line.why for line in lines if line.why] + [why for _, why in shown.projects]
    assert len(addresses) == 1 + 4 + 3 + 1 + 2
    model = models()["plan"]
    for address in addresses:
        key, _, field = unquote(address).removeprefix("/explain/plan/").rpartition("/")
        parsed = model.parse(key)
        assert parsed is not None, address
        assert field in model.figures(parsed, "FIVE-YEAR").figures, address
    assert explanation("services/1", "launched", 400) == "/explain/plan/services/1/launched?before=400"
    address = "/explain/plan/partnerships/A%3Fb%23%3Cc%3E/net_halalas"
    assert explanation("partnerships/A?b#<c>", "net_halalas") == address


def test_agencies_with_the_most_behind_come_first_and_the_files_have_what_the_page_shows() -> None:
    def agency(name: str, launched: int, completed: int) -> AgencyPace:
        figures = {"services": 10, "expected_launched": 5, "phases": 3, "expected_completed": 1}
        return AgencyPace(agency=name, launched=launched, completed=completed, **figures)

    rows = agencies_behind([agency("b", 5, 1), agency("a", 9, 3), agency("c", 2, 0), agency("d", 5, 0)])
    assert [row.agency for row in rows] == ["c", "d", "a", "b"]
    assert (rows[0].services_behind, rows[0].phases_behind) == (3, 1)
    assert csv_file(AGENCIES, rows).splitlines()[1] == "c,10,2,5,3,0,1"
    lines = figures_csv(Overview(plan_of(), pace_of(), None)).splitlines()
    assert lines[0] == "\ufefffigure_ar,figure_en,done,target,expected_by_now,behind,log_index"
    assert "الخدمات المطلقة,Services launched,90,150,105,15,900" in lines
    assert 'تدريب 1426 هـ، الاستخدام,"Training 1426 AH, use",99,355,177,78,900' in lines
    assert len(lines) == 1 + 3 + 3 + 1 + 4
