"""The lists behind the plan: filters in addresses, cursors, and the steps of a history."""

from __future__ import annotations

from consumers.console.pages.plan.lists import Chosen


def test_filters_stay_in_the_addresses() -> None:
    chosen = Chosen(" health ", "2", "")
    assert chosen.given() == {"agency": "health", "group": "2"}
    assert chosen.address("/plan/services", after="W10") == "/plan/services?agency=health&group=2&after=W10"
    assert Chosen().address("/plan/services") == "/plan/services"
    assert Chosen("a&b=<c>").address("/x") == "/x?agency=a%26b%3D%3Cc%3E"
