"""Errors that several folders raise."""

from __future__ import annotations

from events.errors import Retry, YesserError


class StackError(YesserError):
    """The embedded stack cannot do this; the message gives the reason and the remedy."""


class WaitTimedOut(Retry):
    """The time is over before the result was there."""


class WrongInput(YesserError):
    """A file given to the command is not valid: nothing was done."""
