"""Texts of events, made safe for a header or a body: without control characters, without open direction marks, bounded.

A name may hold marks that turn the direction of what follows it. Embeddings, overrides and other invisible characters
are removed; isolates, which the briefs use, stay where each one is closed in its line. Where digits on both sides of
what is removed would form a national id, a space takes its place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from consumers.programme.campaigns.handlers.texts import clip
from events.values.bilingual import Bilingual, isolates_are_closed
from events.values.personal_data import holds_personal_data

LINES_MAX: Final = 40
CHARACTERS_MAX: Final = 2_000

_ISOLATES: Final = "\u2066\u2067\u2068\u2069"
_JOINERS: Final = "\u200c\u200d"
"""Needed to write Persian and Arabic words as they are."""


def line(text: str, characters_max: int = 200) -> str:
    """One line without invisible characters but joiners; longer ones end in an ellipsis."""
    spaced = "".join(" " if character.isspace() else character for character in text)
    visible = " ".join(_visible(spaced).split())
    if len(visible) <= characters_max:
        return visible
    # Between words: a number that is cut could look like a national id.
    words = visible[:characters_max].rpartition(" ")[0].rstrip()
    return words + "…" if words else clip(visible, characters_max)


def lines(text: str) -> list[str]:
    """The lines that are not empty, at most `LINES_MAX` with `CHARACTERS_MAX` in all."""
    found, left = [], CHARACTERS_MAX
    for raw in text[: 2 * CHARACTERS_MAX].splitlines():
        kept = _keep_closed_isolates(raw)[:left]
        if kept.strip():
            found.append(_keep_closed_isolates(kept).strip())
            left -= len(kept)
        if left <= 0 or len(found) == LINES_MAX:
            break
    return found


def line_of(text: Mapping[str, str], characters_max: int = 200) -> Bilingual:
    """A `line` of each language."""
    return Bilingual(line(text["ar"], characters_max), line(text["en"], characters_max))


def lines_of(text: Mapping[str, str]) -> Bilingual:
    """The `lines` of each language."""
    return Bilingual("\n".join(lines(text["ar"])), "\n".join(lines(text["en"])))


def _keep_closed_isolates(text: str) -> str:
    plain = "".join(" " if character == "\t" else character for character in text)
    kept = _visible(plain, _ISOLATES)
    return kept if isolates_are_closed(kept) else _visible(kept)


def _visible(text: str, kept: str = "") -> str:
    """A text without its invisible characters, but those `kept`."""
    shown = "".join(c for c in text if _is_visible(c) or c in kept)
    if holds_personal_data(shown):
        return "".join(c if _is_visible(c) or c in kept else " " for c in text)
    return shown


def _is_visible(character: str) -> bool:
    """Neither a control, a format mark, a surrogate, unassigned, nor a line or paragraph separator."""
    return character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
