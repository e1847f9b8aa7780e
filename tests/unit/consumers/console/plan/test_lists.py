"""The lists behind the plan: filters in addresses, cursors, and the steps of a history."""

from __future__ import annotations

from consumers.console.pages.plan.lists import Chosen, history_rows


def test_filters_stay_in_the_addresses() -> None:
    chosen = Chosen(" health ", "2", "")
    assert chosen.given() == {"agency": "health", "group": "2"}
    assert chosen.address("/plan/services", after="W10") == "/plan/services?agency=health&group=2&after=W10"
    assert Chosen().address("/plan/services") == "/plan/services"
    assert Chosen("a&b=<c>").address("/x") == "/x?agency=a%26b%3D%3Cc%3E"


def test_a_history_begins_with_the_latest_step_and_names_it() -> None:
    steps = [
        {"index": 3, "type": "project.registered", "phase": None, "data": {"name": "P"}},
        {"index": 5, "type": "project.phase-completed", "phase": 1, "data": None},
        {"index": 7, "type": "project.cancelled", "phase": None, "data": {"reason": {"ar": "سبب", "en": "reason"}}},
        {"index": 9, "type": "project.something-new", "phase": None, "data": {}},
    ]
    rows = history_rows(steps, [{"phase": 1, "name": {"ar": "الأولى", "en": "First"}}])
    assert [row["index"] for row in rows] == [9, 7, 5, 3]
    assert rows[0]["name"] == ("project.something-new", "project.something-new")
    assert rows[1]["reason"] == {"ar": "سبب", "en": "reason"}
    assert rows[2]["phase_name"] == {"ar": "الأولى", "en": "First"}
    assert rows[2]["reason"] is None
