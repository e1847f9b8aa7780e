"""Renders the pages' Markdown to HTML. Raw HTML in it is escaped.

The Arabic page of `docs/x.md` is `docs/ar/x.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it.token import Token
from markupsafe import Markup

from events.values.bilingual import Language
from infra.http.prose import PARSER, heading_anchor, html_of

FOLDER: Final = Path(__file__).parents[2] / "docs"
_PRE: Final = '<pre dir="ltr" tabindex="0" role="region" aria-label="{}">'
"""A wide example can be scrolled with the keyboard (WCAG 2.1.1) and has a name (4.1.2)."""
_EXAMPLE: Final = {"ar": "مثال", "en": "Example"}


@cache
def prose_pages() -> dict[str, str]:
    """File → address: the pages of `docs/` that are there in Arabic too."""
    return {path.name: f"/docs/{path.stem}" for path in sorted((FOLDER / "ar").glob("*.md"))}


def prose_of(file: str, language: Language) -> str:
    """The Markdown of a page of `docs/`."""
    folder = FOLDER / "ar" if language == "ar" else FOLDER
    return (folder / file).read_text(encoding="utf-8")


def html_page(markdown: str, english: str, language: Language, href: Callable[[str], str]) -> tuple[str, Markup]:
    """The title of a page, and its HTML.

    Headings have the ids of the English page in both languages. `href` gives the target of a link to a page of the
    site, by its path; links to other files of the repository become plain text. Raises `ValueError` where the page has
    other headings than the English one.
    """
    tokens = PARSER.parse(markdown)
    title = "".join(token.content for token in tokens[1].children or ())
    headings = [token for token in tokens if token.type == "heading_open"]
    for heading, anchor in zip(headings, _anchors(english), strict=True):
        heading.attrSet("id", anchor)
    for token in tokens:
        if token.children:
            token.children = list(_led(token.children, href))
    # All text is escaped, so every `<pre>` is the renderer's.
    return title, Markup(str(html_of(tokens, language)).replace("<pre>", _PRE.format(_EXAMPLE[language])))  # noqa: S704


def _anchors(english: str) -> list[str]:
    """The ids of the headings, as GitHub makes them from the English text."""
    tokens = PARSER.parse(english)
    return [heading_anchor(text.content) for outer, text in pairwise(tokens) if outer.type == "heading_open"]


def _led(tokens: list[Token], href: Callable[[str], str]) -> Iterator[Token]:
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            file, _, fragment = str(token.attrGet("href")).partition("#")
            path = file if file.startswith("/") else prose_pages().get(file)
            dropped = bool(file) and path is None
            if path is not None:
                token.attrSet("href", href(path) + (f"#{fragment}" if fragment else ""))
        if not (dropped and token.type in ("link_open", "link_close")):
            yield token
