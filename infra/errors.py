"""Errors of the embedded stack."""

from __future__ import annotations

from events.errors import YesserError


class StackError(YesserError):
    """The embedded stack cannot do this; the message gives the reason and the remedy."""
