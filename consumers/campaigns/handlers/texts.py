"""A campaign's texts in Arabic and English: templates in, texts of at most 2,000 characters out.

The registrar validates platform events like any other. A name that is cut to fit must not leave a number that looks
like a national id, so a cut never falls inside a run of letters and digits.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Text: TypeAlias = dict[str, str]
"""`{"ar": …, "en": …}`"""

PART_CHARACTERS_MAX: Final = 800
"""Longest name, aim or reason inside a text; two of them and the template stay below 2,000."""

LANGUAGES: Final = ("ar", "en")


def fill(template: Text, parts: Mapping[str, Any]) -> Text:
    """`template` with `{name}` replaced; a part is a text of both languages, or one value for both."""
    return {
        language: template[language].format_map({name: _part(value, language) for name, value in parts.items()})
        for language in LANGUAGES
    }


def clip(text: str) -> str:
    """`text`, cut to `PART_CHARACTERS_MAX` before the run of letters and digits in which the limit falls."""
    if len(text) <= PART_CHARACTERS_MAX:
        return text
    cut = PART_CHARACTERS_MAX - 1
    start = cut
    if _in_run(text[cut]):
        while start > 0 and _in_run(text[start - 1]):
            start -= 1
    # A run from the very start is far longer than a national id, so any cut is safe.
    return text[: start or cut].rstrip() + "…"


def _part(value: Any, language: str) -> str:
    if isinstance(value, dict):
        return clip(str(value[language]))
    return str(value)


def _in_run(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "L" or category == "Nd"
