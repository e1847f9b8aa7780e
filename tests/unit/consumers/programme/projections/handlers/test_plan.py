"""Plans, activity and what happens once: `test_against_the_oracle` judges the anomalies of every order of events."""

from __future__ import annotations

from typing import Any

from consumers.documents.programme.plan import Group
from consumers.programme.projections.handlers.activity import ACTIVITY, REFUSALS, Activity, Refusals
from consumers.programme.projections.handlers.one_time_events import ONE_TIME_EVENT
from consumers.programme.projections.handlers.plan import PLAN, SHOWN_PLAN
from consumers.programme.projections.read import service_groups
from tests.world.entries import TEXT
from tests.world.plan import Story


def targets(infrastructure: int) -> dict[str, Any]:
    services = {"1": 10, "2": 20, "3": 30}
    return {"infrastructure_projects": infrastructure, "national_applications": 3, "services": services}


def adopted(story: Story, plan_id: str, infrastructure: int = 6) -> int:
    dates = {"starts_on": "2005-01-01", "ends_on": "2009-12-31"}
    return story.tell("yesser", "plan.adopted", plan_id=plan_id, name=TEXT, targets=targets(infrastructure), **dates)


def amended(story: Story, plan_id: str, infrastructure: int) -> int:
    return story.tell("yesser", "plan.amended", plan_id=plan_id, targets=targets(infrastructure), reason=TEXT)


def test_the_plan_last_adopted_is_shown_as_it_was_amended() -> None:
    story = Story()
    amended(story, "A", 8)
    assert story.anomalies() == [(0, 0, "unknown-plan")]
    adopted(story, "A")
    adopted(story, "B", 7)
    adopted(story, "A", 99)
    amended(story, "A", 8)
    assert story.rules() == ["unknown-plan", "already-adopted"]
    store = story.folded(batch=1)
    (shown,) = store.rows(SHOWN_PLAN)
    assert (shown.plan_id, shown.targets["infrastructure_projects"]) == ("B", 7)
    assert [row.targets["infrastructure_projects"] for row in store.rows(PLAN)] == [8, 7]

    last = amended(story, "B", 9)
    (shown,) = story.folded(batch=1).rows(SHOWN_PLAN)
    assert (shown.targets["infrastructure_projects"], shown.first_index, shown.last_index) == (9, 2, last)


def test_every_group_is_there_also_without_a_plan() -> None:
    shown = service_groups(None, [])
    assert shown.target == 0
    assert [*shown.groups] == [group.value for group in Group]
    assert service_groups(targets(6), []).target == 60


def test_every_entry_is_counted_and_a_refusal_for_the_agency_whose_record_it_was() -> None:
    story = Story()
    for agency in ("health", "justice", "health"):
        story.tell(agency, "revenue.collected", partnership_id="P")
    for offset in (7, 9):
        story.tell("platform", "registrar.refused", address=f"agency.municipal-affairs.events/0/{offset}")
    for batch in (1, 2, None):
        store = story.folded(batch)
        assert store.rows(ACTIVITY) == [
            Activity("health", "revenue.collected", 2, 0, 2),
            Activity("justice", "revenue.collected", 1, 1, 1),
            Activity("platform", "registrar.refused", 2, 3, 4),
        ]
        assert store.rows(REFUSALS) == [Refusals("municipal-affairs", 2, 3, 4)]


def test_a_workshop_may_be_held_without_having_been_announced() -> None:
    story = Story()
    workshop = {"workshop_id": "W", "topic": TEXT, "on": "2005-01-01", "place": TEXT, "partners": [TEXT]}
    for what in ("held", "announced"):
        story.tell("yesser", f"partnership.workshop-{what}", **workshop)
    assert story.rules() == []
    assert [row.what for row in story.folded().rows(ONE_TIME_EVENT)] == ["announced", "held"]
