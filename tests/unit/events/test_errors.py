"""An error's class tells the reaction, and its message the place."""

from __future__ import annotations

import pytest

from events.errors import Halt, Reject, Retry, StandDown, YesserError


@pytest.mark.parametrize("error", [YesserError, Retry, Reject, Halt, StandDown])
def test_the_docstring_is_the_default_message(error: type[YesserError]) -> None:
    assert str(error()) == error.__doc__


def test_a_rejection_carries_its_address_and_says_it_once() -> None:
    rejection = Reject("The record is empty", topic="agency.health.events", partition=0, offset=7, event_id="e-1")
    assert rejection.address == "agency.health.events/0/7 e-1"
    assert str(rejection) == "The record is empty (at agency.health.events/0/7 e-1)"
    assert str(Reject("The record is empty")) == "The record is empty"


def test_the_four_reactions_exclude_one_another() -> None:
    four = {Retry, Reject, Halt, StandDown}
    for error in four:
        others = four - {error}
        assert not any(issubclass(error, other) for other in others)
