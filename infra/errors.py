"""Errors that several folders raise."""

from __future__ import annotations

from events.errors import Retry, YesserError
from events.values.bilingual import Bilingual


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
