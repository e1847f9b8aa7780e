"""Errors of commands and of the embedded stack."""

from __future__ import annotations

from events.errors import YesserError


class StackError(YesserError):
    """The embedded stack cannot do this; the message gives the reason and the remedy."""


class WrongInput(YesserError):
    """A file given to the command is not valid: nothing was done."""
