"""An error's class decides the reaction; its docstring is the default message."""

from __future__ import annotations

import pytest

from events.errors import Halt, Reject, Retry, StandDown, YesserError


@pytest.mark.parametrize("error", [YesserError, Retry, Reject, Halt, StandDown])
def test_the_docstring_is_the_default_message(error: type[YesserError]) -> None:
    assert str(error()) == error.__doc__


def test_the_four_reactions_exclude_one_another() -> None:
    four = {Retry, Reject, Halt, StandDown}
    for error in four:
        others = four - {error}
        assert not any(issubclass(error, other) for other in others)
