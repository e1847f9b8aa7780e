"""Arabic text as HTML in which codes, dates and ranges keep their left-to-right order."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup, escape

ARABIC: Final = re.compile("[\u0600-\u06ff]")
# A left-to-right run begins and ends with a letter, a digit or a bracket; adjacent runs are joined.
_PIECE: Final = r"[±(]*[A-Za-z0-9](?:[A-Za-z0-9₀₁_./:^{}()+*=,−–-]*[A-Za-z0-9₀₁)}-])?"
_LATIN: Final = re.compile(rf"({_PIECE}(?:[:,]? (?:[−–…] )?{_PIECE})*)", flags=re.ASCII)


def isolated(arabic: str) -> Markup:
    """The text with each left-to-right run in a `<bdi>`."""
    parts = _LATIN.split(arabic)
    return Markup().join(_run(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def _run(text: str) -> Markup:
    """A bracket whose partner is not in the run belongs to the Arabic around it."""
    before = after = ""
    while text.startswith("(") and text.count("(") > text.count(")"):
        before, text = before + "(", text[1:]
    while text.endswith(")") and text.count(")") > text.count("("):
        after, text = after + ")", text[:-1]
    return Markup("{}<bdi>{}</bdi>{}").format(before, text, after)
