"""Renders the pages of `docs/` for integrators from Markdown to HTML. Raw HTML in them is escaped.

The Arabic page of `docs/x.md` is `docs/ar/x.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from infra.http.problems import Language
from producers.docs_pages.bidi import ARABIC, isolated

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
    "/docs/console": "console.md",
    "/docs/webhooks": "webhooks.md",
    "/docs/ledger": "ledger.md",
    "/docs/audit": "audit.md",
    "/docs/threat-model": "threat-model.md",
}
"""Address → file."""
UNTRANSLATED: Final = frozenset(
    {"gateway.md", "outbox.md", "kafka.md", "tls.md", "runbook.md", "ledger.md", "audit.md", "threat-model.md"}
)
"""Files without an Arabic page: readers of Arabic get the English one."""

_PRE: Final = '<pre dir="ltr" tabindex="0" role="region" aria-label="{}">'
"""A wide example can be scrolled with the keyboard (WCAG 2.1.1) and has a name (4.1.2)."""
_EXAMPLE: Final = {"ar": "مثال", "en": "Example"}
_ADDRESSES: Final = {file: path for path, file in PROSE_PAGES.items()}
PARSER: Final = MarkdownIt("commonmark", {"html": False}).enable("table")


def prose_of(path: str, language: Language, href: Callable[[str], str]) -> Markup:
    """The page's HTML without its first heading, which the layout shows.

    Headings have the ids of the English page in both languages. Links between these pages are kept; links to other
    files of the repository become plain text.
    """
    tokens = PARSER.parse(_text(path, language).partition("\n")[2])
    headings = [token for token in tokens if token.type == "heading_open"]
    for heading, anchor in zip(headings, _anchors(path), strict=True):
        heading.attrSet("id", anchor)
    for token in tokens:
        if token.children:
            led = list(_led(token.children, href))
            token.children = list(_isolated(led)) if language == "ar" else led
    # The renderer has escaped all text, so every `<pre>` is its own.
    rendered = PARSER.renderer.render(tokens, PARSER.options, {}).replace("<pre>", _PRE.format(_EXAMPLE[language]))
    return Markup(rendered)  # noqa: S704


def title_of(path: str, language: Language) -> str:
    """The text of the first heading."""
    return _text(path, language).partition("\n")[0].removeprefix("# ")


def _text(path: str, language: Language) -> str:
    file = PROSE_PAGES[path]
    folder = FOLDER / "ar" if language == "ar" and file not in UNTRANSLATED else FOLDER
    return (folder / file).read_text(encoding="utf-8")


def _anchors(path: str) -> list[str]:
    """The ids of the headings after the first, as GitHub makes them from the English text."""
    tokens = PARSER.parse(_text(path, "en").partition("\n")[2])
    return [heading_anchor(text.content) for outer, text in pairwise(tokens) if outer.type == "heading_open"]


def heading_anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _led(tokens: list[Token], href: Callable[[str], str]) -> Iterator[Token]:
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            file, _, fragment = str(token.attrGet("href")).partition("#")
            dropped = bool(file) and file not in _ADDRESSES
            if file in _ADDRESSES:
                token.attrSet("href", href(_ADDRESSES[file]) + (f"#{fragment}" if fragment else ""))
        if not (dropped and token.type in ("link_open", "link_close")):
            yield token


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
