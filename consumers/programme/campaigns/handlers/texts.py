"""A campaign's texts in Arabic and English: templates in, texts of at most 2,000 characters out.

The registrar validates platform events like any other, so no number that looks like a national id may come about that
was not in a value. A cut never falls inside a run of letters and digits, and a mark that separated two runs becomes a
space where they would form one. A value of the other direction is isolated (U+2068 … U+2069), so that it does not turn
the text around it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from consumers.programme.campaigns.rules.rule import NAME_MAX, OWNER_MAX, Text
from events.values.data import Data
from events.values.personal_data import holds_personal_data
from events.wire.texts import is_text_hash

LANGUAGES: Final = ("ar", "en")
_LONGEST: Final = {"owner": OWNER_MAX, "place": OWNER_MAX}

_IN_ENTRY: Final = {"ar": "انظر القيد {cause}", "en": "see entry {cause}"}
# A word or a number of this kind keeps its order in a text of either direction.
_PLAIN: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9]+")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Without one of these nothing can be of the other direction: most names have none.
_FOREIGN: Final = {"ar": re.compile(r"[^\W_0-9\u0600-\u06ff]"), "en": re.compile(r"[^\x00-\x7f]")}
_OTHER: Final = {"ar": frozenset({"L"}), "en": frozenset({"R", "AL"})}
_ISOLATED: Final = "\u2068{}\u2069"
# Directional marks inside a value could end its isolation.
_MARKS: Final[Mapping[int, str | None]] = dict.fromkeys(
    [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_SPACES: Final = dict.fromkeys(_MARKS, " ")


def fill(template: Text, parts: Mapping[str, Any]) -> Text:
    """`template` with `{name}` replaced; a part is a text of both languages, or one value for both."""
    return {language: _filled(template[language], parts, language) for language in LANGUAGES}


def text_in(value: Any, index: int) -> Any:
    """A member of an entry's `data` as a part; of a free text, which folds never read, where it can be read."""
    return fill(_IN_ENTRY, {"cause": f"i{index}"}) if is_text_hash(value) else value


def clip(text: str, characters_max: int = NAME_MAX) -> str:
    """`text`, cut to `characters_max` before the run of letters and digits in which the limit falls."""
    if len(text) <= characters_max:
        return text
    cut = characters_max - 1
    start = cut
    if _in_run(text[cut]):
        while start > 0 and _in_run(text[start - 1]):
            start -= 1
    # A run from the very start is far longer than a national id, so any cut is safe.
    return text[: start or cut].rstrip() + "…"


def isolated(text: str, language: str) -> str:
    """`text` isolated for direction, where its order would change in a text of `language`."""
    if language == "ar" and _DATE.fullmatch(text):
        return _ISOLATED.format(text)
    if not _FOREIGN[language].search(text) or _PLAIN.fullmatch(text):
        return text
    other = _OTHER[language]
    return _ISOLATED.format(text) if any(unicodedata.bidirectional(letter) in other for letter in text) else text


def _filled(template: str, parts: Mapping[str, Any], language: str) -> str:
    text = template.format_map(_Filled(parts, language, _MARKS))
    # To the search for personal data a mark ends a run of digits, as a space does.
    return template.format_map(_Filled(parts, language, _SPACES)) if holds_personal_data(text) else text


class _Filled(Data):
    """The parts as texts of one language, each made when the template asks for it, with `marks` replaced."""

    def __init__(self, parts: Mapping[str, Any], language: str, marks: Mapping[int, str | None]) -> None:
        super().__init__(parts)
        self._language = language
        self._marks = marks

    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        text = str(value[self._language] if isinstance(value, dict) else value).translate(self._marks)
        return isolated(clip(text, _LONGEST.get(name, NAME_MAX)), self._language)


def _in_run(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "L" or category == "Nd"
