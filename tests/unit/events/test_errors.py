"""An error's class decides the reaction; its docstring is the default message."""

from __future__ import annotations

from events.errors import Halt, Reject, Retry, StandDown, YesserError


def test_the_docstring_is_the_default_message_and_the_four_reactions_exclude_one_another() -> None:
    four = {Retry, Reject, Halt, StandDown}
    for error in (YesserError, *four):
        assert str(error()) == error.__doc__
        others = four - {error}
        assert not any(issubclass(error, other) for other in others)
