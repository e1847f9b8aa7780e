"""Projects: phases in their order, reopening, cancelling, and who may say so."""

from __future__ import annotations

from typing import Any

from consumers.projections.handlers.projects import PROJECT
from tests.every import every
from tests.world.entries import TEXT
from tests.world.plan import Story

VERBS = {
    "start": "phase-started",
    "complete": "phase-completed",
    "reopen": "phase-reopened",
    "cancel": "cancelled",
    "reassign": "reassigned",
    "register": "registered",
}
PHASES = [{"phase": 1, "name": TEXT}, {"phase": 2, "name": TEXT}]


def story_of(words: str) -> Story:
    """`agency:verb-phase` words about a project of two phases; the agency is `health` unless it is given."""
    story = Story()
    for word in words.split():
        agency, _, fact = word.rpartition(":")
        verb, _, phase = fact.partition("-")
        data: dict[str, Any] = {"project_id": "P", "on": "2006-01-01"}
        if phase:
            data["phase"] = int(phase)
        if verb == "register":
            data = {"project_id": "P", "plan_id": "F", "kind": "infrastructure", "name": TEXT, "phases": PHASES}
        if verb == "reassign":
            data["to"] = "justice"
        story.tell(agency or "health", f"project.{VERBS[verb]}", **data)
    return story


@every(
    ("words", "rules"),
    [
        ("register start-1 complete-1 start-2 complete-2", []),
        ("register complete-1 complete-2", []),
        ("register start-2", ["not-allowed-now"]),
        ("register complete-2", ["not-allowed-now"]),
        ("register start-3", ["unknown-phase"]),
        ("register complete-3", ["unknown-phase"]),
        ("register reopen-3", ["unknown-phase"]),
        ("register start-1 start-1", ["already-started"]),
        ("register complete-1 start-1", ["already-started"]),
        ("register complete-1 complete-1", ["already-completed"]),
        ("register reopen-1", ["not-allowed-now"]),
        ("register complete-1 complete-2 reopen-1", ["not-allowed-now"]),
        ("register complete-1 complete-2 reopen-2 reopen-1", []),
        ("register complete-1 reopen-1 start-1", ["already-started"]),
        ("register complete-1 start-2 reopen-1 complete-2", ["not-allowed-now"]),
        ("register complete-1 start-2 reopen-1 start-2", ["already-started"]),
        ("register complete-1 start-2 reopen-1 complete-1 complete-2", []),
        ("register cancel start-1", ["not-allowed-now"]),
        ("register start-1 cancel start-1", ["already-started"]),
        ("register cancel start-9", ["unknown-phase"]),
        ("register cancel cancel", ["already-cancelled"]),
        ("register complete-1 cancel reopen-1", ["not-allowed-now"]),
        ("register complete-1 complete-2 cancel", ["not-allowed-now"]),
        ("register complete-1 complete-2 reopen-2 cancel", []),
        ("register register", ["already-registered"]),
        ("register justice:register", ["not-owner"]),
        ("register justice:start-9", ["not-owner"]),
        ("register cancel justice:cancel", ["not-owner"]),
        ("register yesser:reassign justice:start-1", []),
        ("register yesser:reassign start-1", ["not-owner"]),
        ("register cancel yesser:reassign justice:cancel", ["already-cancelled"]),
        ("start-1 complete-1 start-1", []),
    ],
)
def test_the_state_decides_what_may_be_said_of_a_project(words: str, rules: list[str]) -> None:
    assert story_of(words).rules() == rules


@every(
    ("words", "started", "completed", "cancelled"),
    [
        ("register", 0, 0, False),
        ("register start-1", 1, 0, False),
        ("register complete-1", 1, 1, False),
        ("register complete-1 start-2 reopen-1", 2, 0, False),
        ("register complete-1 complete-2", 2, 2, False),
        ("register start-1 cancel", 1, 0, True),
    ],
)
def test_started_includes_completed(words: str, started: int, completed: int, cancelled: bool) -> None:
    (project,) = story_of(words).folded(batch=1).rows(PROJECT)
    assert (project.started, project.completed, project.cancelled) == (started, completed, cancelled)
