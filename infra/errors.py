"""What can keep the embedded stack from starting: always one sentence with the remedy."""

from __future__ import annotations

from events.errors import YesserError


class StackError(YesserError):
    """The embedded stack cannot do what was asked; the message says why and what to do."""
