"""What each process says that finds the database older than what was published of the log: one remedy."""

from __future__ import annotations

from typing import Final

_REMEDY: Final = "(an older copy?); run `yesser recover`"


def older_copy(evidence: str, size: int) -> str:
    """The reason of a halt: `evidence` shows that the log has more than the `size` entries in the database."""
    return f"{evidence}, but the database holds {size} entries only {_REMEDY}"


def is_older_copy(reason: str) -> bool:
    """Whether a halt's reason is one of these, and nothing besides."""
    return reason.endswith(_REMEDY) and reason.count(_REMEDY) == 1
