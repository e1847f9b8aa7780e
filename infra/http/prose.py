"""Pages of `docs/` as HTML: Markdown whose raw HTML is escaped, and Arabic text in which codes, dates and ranges keep
their left-to-right order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from events.values.bilingual import Language

PARSER: Final = MarkdownIt("commonmark", {"html": False}).enable("table")

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


def heading_anchor(heading: str) -> str:
    """The id of a heading, as GitHub makes it from its text."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def html_of(tokens: Sequence[Token], language: Language) -> Markup:
    """The HTML of parsed Markdown of a page in this language."""
    for token in tokens:
        if token.children and language == "ar":
            token.children = list(_isolated(token.children))
    return Markup(PARSER.renderer.render(tokens, PARSER.options, {}))  # noqa: S704 - the renderer has escaped all text


def _isolated(tokens: list[Token]) -> Iterator[Token]:
    """Latin words and numbers keep their direction. An emphasis without Arabic is what a program prints in English."""
    printed = False
    for place, token in enumerate(tokens):
        if token.type == "em_open":
            inside = takewhile(lambda one: one.type != "em_close", tokens[place:])
            printed = not ARABIC.search("".join(one.content for one in inside))
            if printed:
                token.attrs |= {"lang": "en", "dir": "ltr"}
        printed = printed and token.type != "em_close"
        if token.type == "text" and not printed:
            yield Token("html_inline", "", 0, content=str(isolated(token.content)))
        else:
            yield token
