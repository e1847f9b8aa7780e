"""Renders the pages of `docs/` for integrators from Markdown to HTML. Raw HTML in them is escaped.

The Arabic page of `docs/x.md` is `docs/ar/x.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it.token import Token
from markupsafe import Markup

from events.values.bilingual import Language
from infra.http.prose import PARSER, html_of

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
"""Address → file, in `docs` and, in Arabic, in `docs/ar`."""

_PRE: Final = '<pre dir="ltr" tabindex="0" role="region" aria-label="{}">'
"""A wide example can be scrolled with the keyboard (WCAG 2.1.1) and has a name (4.1.2)."""
_EXAMPLE: Final = {"ar": "مثال", "en": "Example"}
_ADDRESSES: Final = {file: path for path, file in PROSE_PAGES.items()}


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
            token.children = list(_led(token.children, href))
    # All text is escaped, so every `<pre>` is the renderer's.
    return Markup(str(html_of(tokens, language)).replace("<pre>", _PRE.format(_EXAMPLE[language])))  # noqa: S704


def title_of(path: str, language: Language) -> str:
    """The text of the first heading."""
    return _text(path, language).partition("\n")[0].removeprefix("# ")


def _text(path: str, language: Language) -> str:
    folder = FOLDER / "ar" if language == "ar" else FOLDER
    return (folder / PROSE_PAGES[path]).read_text(encoding="utf-8")


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
