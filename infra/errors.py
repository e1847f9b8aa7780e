"""Errors that several folders raise, and the reason of a halt that several processes find."""

from __future__ import annotations

from typing import Final

from events.errors import Retry, YesserError
from events.values.bilingual import Bilingual

_REMEDY: Final = "(an older copy?); run `yesser recover`"


class StackError(YesserError):
    """The embedded stack cannot do this; the message gives the reason and the remedy."""


class WaitTimedOut(Retry):
    """The time is over before the result was there."""


class WrongInput(YesserError):
    """A file given to the command is not valid: nothing was done. `sentence` is in the reader's language, where there
    is one."""

    def __init__(self, sentence: Bilingual | str | None = None) -> None:
        self.sentence = sentence if isinstance(sentence, Bilingual) else Bilingual(sentence or "", sentence or "")
        super().__init__(self.sentence.en)


def older_copy(evidence: str, size: int) -> str:
    """The reason of a halt: `evidence` shows that the log has more than the `size` entries in the database."""
    return f"{evidence}, but the database holds {size} entries only {_REMEDY}"


def is_older_copy(reason: str) -> bool:
    """Whether a halt's reason is one of these, and nothing besides."""
    return reason.endswith(_REMEDY) and reason.count(_REMEDY) == 1
