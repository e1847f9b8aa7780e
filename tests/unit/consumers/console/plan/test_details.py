"""The lists behind the plan: filters in addresses, and what they ask for."""

from __future__ import annotations

import pytest

from consumers.console.pages.plan.routes import Chosen
from consumers.documents.programme.directory import ServiceState
from infra.http.problems import Problem


def test_filters_stay_in_the_addresses() -> None:
    chosen = Chosen(" health ", "2", "")
    assert chosen.given() == {"agency": "health", "group": "2"}
    assert chosen.address("/plan/services", after="W10") == "/plan/services?agency=health&group=2&after=W10"
    assert Chosen().address("/plan/services") == "/plan/services"
    assert Chosen("a&b=<c>").address("/x") == "/x?agency=a%26b%3D%3Cc%3E"


def test_what_is_typed_is_what_the_route_takes_or_refused() -> None:
    assert Chosen(" health ", "2", "live").checked() == ("health", 2, ServiceState.LIVE)
    assert Chosen().checked() == (None, None, None)
    for typed in (Chosen("NO"), Chosen(group="9"), Chosen(group="x"), Chosen(state="gone")):
        with pytest.raises(Problem) as caught:
            typed.checked()
        assert caught.value.status == 422
