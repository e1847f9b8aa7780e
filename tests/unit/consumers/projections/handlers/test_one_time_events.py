"""Workshops, frameworks and initiatives happen once, whatever the sender."""

from __future__ import annotations

from typing import Any

from consumers.projections.handlers.one_time_events import ONE_TIME_EVENT
from tests.every import every
from tests.world.entries import TEXT
from tests.world.plan import Story

WORKSHOP: dict[str, Any] = {"workshop_id": "W", "topic": TEXT, "on": "2005-01-01", "place": TEXT, "partners": [TEXT]}
FRAMEWORK: dict[str, Any] = {"framework_id": "F", "title": TEXT, "legal_basis": TEXT, "on": "2005-01-01"}
INITIATIVE: dict[str, Any] = {"initiative_id": "I", "name": TEXT, "aim": TEXT, "on": "2005-01-01"}


@every(
    ("name", "data", "rule"),
    [
        ("partnership.workshop-announced", WORKSHOP, "already-announced"),
        ("partnership.workshop-held", WORKSHOP, "already-held"),
        ("partnership.framework-published", FRAMEWORK, "already-published"),
        ("awareness.initiative-announced", INITIATIVE, "already-announced"),
    ],
)
def test_the_second_time_is_an_anomaly(name: str, data: dict[str, Any], rule: str) -> None:
    story = Story()
    story.tell("yesser", name, **data)
    story.tell("health", name, **data)
    assert story.anomalies() == [(1, 1, rule)]


def test_a_workshop_may_be_held_without_having_been_announced() -> None:
    story = Story()
    story.tell("yesser", "partnership.workshop-held", **WORKSHOP)
    story.tell("yesser", "partnership.workshop-announced", **WORKSHOP)
    assert story.rules() == []
    assert [row.what for row in story.folded().rows(ONE_TIME_EVENT)] == ["announced", "held"]
