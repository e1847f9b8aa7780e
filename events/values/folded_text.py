"""Text as a search compares it: spellings of one word become the same."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_UNSEEN: Final = ("Mn", "Cf")
"""Vowel signs and other marks; direction marks and joiners."""
_SAME: Final = {"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ٱ": "ا", "ـ": None} | {
    chr(zero + digit): str(digit) for zero in (0x660, 0x6F0) for digit in range(10)
}


class _Letters(dict[int, str | None]):
    """Code point → what stands for it, None for what is left out; filled as letters occur."""

    def __missing__(self, code: int) -> str | None:
        letter = chr(code)
        seen = None if unicodedata.category(letter) in _UNSEEN else _SAME.get(letter, letter)
        self[code] = seen
        return seen


_LETTERS: Final = _Letters()


def folded(text: str) -> str:
    """Its words with one space between them, in lower case, with digits 0–9 and without marks.

    Forms of a letter are one letter: أ إ آ ٱ are ا, ى is ي, ة is ه.
    """
    return " ".join(_WORD.findall(unicodedata.normalize("NFKD", text).translate(_LETTERS).casefold()))
