"""A text in one language, and the names of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from events.faults.problems import Bilingual

Language = Literal["ar", "en"]

CHANNELS: Final = {
    "tv": Bilingual("التلفزيون", "television"),
    "radio": Bilingual("الإذاعة", "radio"),
    "print": Bilingual("الصحافة", "print"),
}
_COMMA: Final = Bilingual(" و", ", ")
_AND: Final = Bilingual(" و", " and ")


def languages(first: str) -> tuple[Language, Language]:
    """Both languages, that of the reader first."""
    return ("en", "ar") if first == "en" else ("ar", "en")


def of(text: Bilingual, language: Language) -> str:
    return text.ar if language == "ar" else text.en


def channel_list(channels: Sequence[str], language: Language) -> str:
    """The channels' names as in a sentence."""
    names = [of(CHANNELS[channel], language) for channel in channels if channel in CHANNELS]
    if len(names) < 2:
        return "".join(names)
    return of(_COMMA, language).join(names[:-1]) + of(_AND, language) + names[-1]
