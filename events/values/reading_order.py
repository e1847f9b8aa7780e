"""The order in which a browser, a terminal or a typesetter draws a date, a range or a code within an Arabic text.

After Arabic letters the digits of `2026-11-25` keep their order and its parts do not: it is drawn as 25-11-2026. What
would be drawn so is isolated where a text leaves us: by `<bdi>` in a page, else by FIRST STRONG ISOLATE and POP
DIRECTIONAL ISOLATE. A plain number, and what begins and ends with Latin letters, stays as it is.

`folded` is a text as a search compares it: spellings of one word become the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from events.values.bilingual import InTwoLanguages, Language, isolated

ARABIC: Final = re.compile("[\u0600-\u06ff]")
_SIGN: Final = r"(?:(?<![^\s(«\"'`=>;\u2066-\u2069])(?:--|[-−+±#@/~]))?"
_PIECE: Final = rf"{_SIGN}[(\[{{]*[A-Za-z0-9](?:[\w./:@#^{{}}()\[\]+*=,−–%~…₀₁-]*[\w)}}\]%*+/…₀₁-])?"
RUN: Final = rf"[\u2066-\u2068][^\u2066-\u2069\u0600-\u06ff]*\u2069|{_PIECE}(?:[:,]? (?:[−–…] )?{_PIECE})*"
"""What is isolated already, or a run from left to right: adjacent words and numbers are one run."""
_RUN: Final = re.compile(RUN, re.ASCII)
_NUMBER: Final = r"[0-9]+(?:[.,:/][0-9]+)*"
_STAYS: Final = re.compile(rf"[\u2066-\u2068].*|[A-Za-z](?:.*[A-Za-z0-9₀₁])?|{_NUMBER}(?:[:,]? {_NUMBER})*", re.DOTALL)


def in_reading_order(arabic: str) -> str:
    """The text with isolates around each run that would be drawn in another order."""
    return _RUN.sub(lambda run: ordered_run(run[0], isolated), arabic)


def text_of(text: InTwoLanguages, language: Language) -> str:
    """The text of one language, as a person reads it. What has no Arabic stays as it is."""
    return text.en if language == "en" or text.ar == text.en else in_reading_order(text.ar)


def ordered_run(run: str, isolate: Callable[[str], str], leave: Callable[[str], str] = str) -> str:
    """The run, isolated if need be, else left. A bracket whose partner is not in it belongs to the Arabic around it."""
    if run.count("(") > run.count(")"):
        before, _, inside = run.partition("(")
        words = before.rstrip()
        first = words and ordered_run(words, isolate, leave)
        return f"{first}{before[len(words) :]}({ordered_run(inside, isolate, leave)}"
    after = ""
    while run.endswith(")") and run.count(")") > run.count("("):
        after, run = after + ")", run[:-1]
    return f"{(leave if _STAYS.fullmatch(run) else isolate)(run)}{after}"


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
