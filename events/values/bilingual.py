"""A text in Arabic and English, and values put into it.

A value keeps its own direction: what would turn the text around it (in Arabic a code, a date, a number with a sign, a
Latin name) stands between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE. A value in two languages has the direction
of the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import Formatter
from typing import Any, Final, Literal, Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

Language = Literal["ar", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("ar", "en")
FIRST_STRONG_ISOLATE: Final = "\u2068"
POP_ISOLATE: Final = "\u2069"

_OPENING: Final = "\u2066\u2067\u2068"
_DIRECTION: Final = {"ar": "\u2067", "en": "\u2066"}
"""RIGHT-TO-LEFT ISOLATE and LEFT-TO-RIGHT ISOLATE: a list of codes does not say in which direction it is read."""
_ISOLATES: Final = re.compile("[\u2066-\u2069]")
_STAYS: Final = {
    "ar": re.compile("[\u0620-\u065f\u066e-\u06d3،؛؟«»()0-9.,:\\s]*"),
    "en": re.compile("[^\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]*"),
}
"""What needs no isolation: Arabic with plain numbers in Arabic, what has nothing from right to left in English."""
_COMMAND: Final = re.compile("yesser [ -~…]*")


class InTwoLanguages(Protocol):
    """A `Bilingual`, or a state that has a name in both languages."""

    @property
    def ar(self) -> str: ...

    @property
    def en(self) -> str: ...


class Bilingual(Struct, frozen=True):
    """A text in both languages."""

    ar: str
    en: str

    def of(self, language: Language) -> str:
        return self.ar if language == "ar" else self.en

    def format(self, *values: object, **named: object) -> Self:
        """Both texts with values in place of `{}` and `{name}`, isolated where they need it.

        Of a value in two languages each text takes its own.
        """
        ar, en = (_Isolating(language).vformat(self.of(language), values, named) for language in LANGUAGES)
        return replace(self, ar=ar, en=en)

    def plain(self) -> Self:
        """Without isolates, for a file that programs read."""
        return replace(self, ar=_ISOLATES.sub("", self.ar), en=_ISOLATES.sub("", self.en))


def joined(values: Iterable[object], ar: str = "، ", en: str = ", ") -> Bilingual:
    """The values one after the other, with what stands between them in each language."""
    listed = list(values)
    places = ["{}"] * len(listed)
    return Bilingual(ar.join(places), en.join(places)).format(*listed)


def in_lines(sentences: Iterable[Bilingual]) -> Bilingual:
    """The sentences of each language together, one a line."""
    listed = list(sentences)
    return Bilingual("\n".join(one.ar for one in listed), "\n".join(one.en for one in listed))


def counted(number: int, one: str, two: str, few: str, many: str) -> str:
    """A number with its noun in Arabic, which has forms for one, two, three to ten (`few`), and all others."""
    if number in (1, 2):
        return one if number == 1 else two
    return f"{number} {few if 3 <= number % 100 <= 10 else many}"


def isolated(text: str, opening: str = FIRST_STRONG_ISOLATE) -> str:
    """The text between isolates, which marks inside it cannot end."""
    closed = text if isolates_are_closed(text) else _ISOLATES.sub(" ", text)
    return f"{opening}{closed}{POP_ISOLATE}"


def isolates_are_closed(text: str) -> bool:
    open_ = 0
    for character in text:
        open_ += (character in _OPENING) - (character == POP_ISOLATE)
        if open_ < 0:
            return False
    return open_ == 0


class _Isolating(Formatter):
    def __init__(self, language: Language) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        own = getattr(value, self._language, None)
        text = format(value if own is None else own, format_spec)
        # A command is copied: an invisible character would be a part of its last word.
        if _STAYS[self._language].fullmatch(text) or _COMMAND.fullmatch(text):
            return text
        return isolated(text) if own is None else isolated(text, _DIRECTION[self._language])
