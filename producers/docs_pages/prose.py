"""Renders the pages of `docs/` for integrators from Markdown to HTML. Raw HTML in them is escaped."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from infra.http.problems import Language

FOLDER: Final = Path(__file__).parents[2] / "docs"
PROSE_PAGES: Final = {
    "/docs/quickstart": "quickstart.md",
    "/docs/gateway": "gateway.md",
    "/docs/files": "files.md",
    "/docs/outbox": "outbox.md",
    "/docs/campaigns": "campaigns.md",
    "/docs/kafka": "kafka.md",
    "/docs/tls": "tls.md",
    "/docs/runbook": "runbook.md",
}
"""Address → file."""

_PRE: Final = '<pre dir="ltr" tabindex="0" role="region" aria-label="Example">'
"""A wide example can be scrolled with the keyboard (WCAG 2.1.1) and has a name (4.1.2)."""
_ADDRESSES: Final = {file: path for path, file in PROSE_PAGES.items()}


def prose_of(path: str, language: Language, href: Callable[[str], str]) -> Markup:
    """The page's HTML without its first heading, which the layout shows. Its text is English; an Arabic paragraph is
    left out for a reader of English.

    Links between these pages are kept; links to other files of the repository become plain text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_text(path).partition("\n")[2])
    for outer, token in pairwise(tokens):
        if token.children:
            token.children = list(_led(token.children, href))
            if _is_arabic(token.content):
                outer.attrs |= {"lang": "ar", "dir": "rtl"}
    if language == "en":
        tokens = list(_without_arabic(tokens))
    # The renderer has escaped all text, so every `<pre>` is its own.
    return Markup(parser.renderer.render(tokens, parser.options, {}).replace("<pre>", _PRE))  # noqa: S704


def title_of(path: str) -> str:
    """The text of the first heading."""
    return _text(path).partition("\n")[0].removeprefix("# ")


def _text(path: str) -> str:
    return (FOLDER / PROSE_PAGES[path]).read_text(encoding="utf-8")


def _is_arabic(text: str) -> bool:
    """Whether most letters are right-to-left ones."""
    sides = [unicodedata.bidirectional(letter) in ("R", "AL") for letter in text if letter.isalpha()]
    return sum(sides) * 2 > len(sides)


def _without_arabic(tokens: list[Token]) -> Iterator[Token]:
    dropped = False
    for token in tokens:
        if token.type == "paragraph_open":
            dropped = token.attrGet("lang") == "ar"
        if not dropped:
            yield token
        if token.type == "paragraph_close":
            dropped = False


def _led(tokens: list[Token], href: Callable[[str], str]) -> Iterator[Token]:
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            file, _, fragment = str(token.attrGet("href")).partition("#")
            dropped = file not in _ADDRESSES
            if not dropped:
                token.attrSet("href", href(_ADDRESSES[file]) + (f"#{fragment}" if fragment else ""))
        if not (dropped and token.type in ("link_open", "link_close")):
            yield token
