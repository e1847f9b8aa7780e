"""Services: what agencies say, one word each, and what comes of the last of it."""

from __future__ import annotations

from typing import Any

from consumers.projections.handlers.history import HISTORY
from consumers.projections.handlers.services import SERVICE, SERVICE_GROUP
from tests.every import every
from tests.world.entries import TEXT
from tests.world.plan import Story

DATA: dict[str, dict[str, Any]] = {
    "registered": {"plan_id": "P", "group": 1, "name": TEXT},
    "launched": {"on": "2006-01-01", "channels": ["web"]},
    "suspended": {"on": "2006-02-01", "reason": TEXT},
    "resumed": {"on": "2006-03-01"},
    "retired": {"on": "2006-04-01", "reason": TEXT},
    "reassigned": {"on": "2006-05-01", "reason": TEXT, "to": "justice"},
}


def story_of(words: str) -> Story:
    """`agency:fact` words; the agency is `health` unless it is given."""
    story = Story()
    for word in words.split():
        agency, _, fact = word.rpartition(":")
        story.tell(agency or "health", f"service.{fact}", service_id="S", **DATA[fact])
    return story


@every(
    ("words", "rules"),
    [
        ("registered launched", []),
        ("registered launched launched", ["already-launched"]),
        ("registered retired launched", ["not-allowed-now"]),
        ("registered launched retired launched", ["already-launched"]),
        ("registered suspended", ["not-allowed-now"]),
        ("registered launched suspended suspended", ["already-suspended"]),
        ("registered launched retired suspended", ["not-allowed-now"]),
        ("registered launched suspended retired suspended", ["not-allowed-now"]),
        ("registered launched suspended resumed suspended", []),
        ("registered launched resumed", ["not-allowed-now"]),
        ("registered launched suspended retired resumed", ["not-allowed-now"]),
        ("registered retired", []),
        ("registered retired retired", ["already-retired"]),
        ("registered registered", ["already-registered"]),
        ("registered justice:registered", ["not-owner"]),
        ("registered justice:launched", ["not-owner"]),
        ("registered launched justice:launched", ["not-owner"]),
        ("registered yesser:reassigned justice:launched", []),
        ("registered yesser:reassigned launched", ["not-owner"]),
        ("registered yesser:reassigned registered", ["not-owner"]),
        ("registered yesser:reassigned justice:registered", ["already-registered"]),
    ],
)
def test_the_state_decides_what_may_be_said_of_a_service(words: str, rules: list[str]) -> None:
    assert story_of(words).rules() == rules


@every(
    ("words", "registered", "launched", "live", "suspended", "retired"),
    [
        ("registered", 1, 0, 0, 0, 0),
        ("registered launched", 1, 1, 1, 0, 0),
        ("registered launched suspended", 1, 1, 0, 1, 0),
        ("registered launched suspended resumed", 1, 1, 1, 0, 0),
        ("registered launched suspended retired", 1, 1, 0, 0, 1),
        ("registered retired", 1, 0, 0, 0, 1),
        ("launched suspended", 0, 0, 0, 0, 0),
    ],
)
def test_a_group_counts_its_services(
    words: str, registered: int, launched: int, live: int, suspended: int, retired: int
) -> None:
    rows = story_of(words).folded(batch=1).rows(SERVICE_GROUP)
    counts = [(r.registered, r.launched, r.live, r.suspended, r.retired) for r in rows] or [(0, 0, 0, 0, 0)]
    assert counts == [(registered, launched, live, suspended, retired)]


def test_the_directory_and_the_history_have_the_facts_that_took_effect_and_no_others() -> None:
    store = story_of("registered justice:launched launched launched suspended").folded()
    (service,) = store.rows(SERVICE)
    assert (service.owner, service.launched_on, service.channels) == ("health", "2006-01-01", ["web"])
    assert (service.first_index, service.last_index, service.count) == (0, 4, 3)
    assert [(step.index, step.type, step.happened_on) for step in store.rows(HISTORY)] == [
        (0, "service.registered", None),
        (2, "service.launched", "2006-01-01"),
        (4, "service.suspended", "2006-02-01"),
    ]
