"""Writes the Markdown of a page in one language, from a template of `templates/`, and renders it to HTML.

Raw HTML in the Markdown is escaped. The Arabic page of `docs/x.md` is `docs/ar/x.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from events.values.bilingual import Bilingual, Language
from infra.http.prose import PARSER, heading_anchor, html_of
from infra.http.templates import templates

TEMPLATES: Final = templates("producers.docs_pages", "templates")
TEMPLATES.filters["cell"] = lambda text: text.replace("|", "\\|")
_MARKUP: Final = re.compile(r"([\\`*_\[\]<&])")


@dataclass(frozen=True, slots=True)
class Writer:
    """`href` gives the target of a link to a page or a document, `arabic` the Arabic of OpenAPI's texts."""

    language: Language
    href: Callable[[str], str]
    arabic: Mapping[str, str]

    def page(self, template: str, **context: Any) -> str:
        tools = {"say": self.say, "label": self.label, "api_text": self.api_text, "link": self.link, "code": code}
        return TEMPLATES.get_template(template).render(**tools, **context)

    def say(self, words: Bilingual) -> str:
        """A sentence. What would be Markdown in it is escaped."""
        return _MARKUP.sub(r"\\\1", words.of(self.language))

    def label(self, ar: str, en: str) -> str:
        return self.say(Bilingual(ar, en))

    def api_text(self, english: str) -> str:
        """A text of the OpenAPI document, which is Markdown."""
        return self.arabic.get(english, english) if self.language == "ar" and english else english

    def link(self, path: str, text: str = "") -> str:
        """A link to a page, or to a document by its own path."""
        return f"[{text or code(path)}]({self.href(path)})"


def code(text: str) -> str:
    return f"`{text}`"


_INSTALLED: Final = Path(__file__).parent / "guides"
FOLDER: Final = _INSTALLED if _INSTALLED.exists() else Path(__file__).parents[2] / "docs"
"""The guides: `docs/` of a clone, which `setup.py` copies into a wheel."""
_LINK: Final = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<file>[^)#]+)(?P<heading>#[^)]*|)\)")
_PRE: Final = '<pre dir="ltr" tabindex="0" role="region" aria-label="{}">'
"""A wide example can be scrolled with the keyboard (WCAG 2.1.1) and has a name (4.1.2)."""
_EXAMPLE: Final = {"ar": "مثال", "en": "Example"}


@cache
def prose_pages() -> dict[str, str]:
    """File → address: the pages of `docs/` that are there in Arabic too."""
    return {path.name: f"/docs/{path.stem}" for path in sorted((FOLDER / "ar").glob("*.md"))}


def prose_of(file: str, language: Language, href: Callable[[str], str]) -> str:
    """The Markdown of a page of `docs/`. `href` gives the target of a link to a page of the site, by its path; a link
    to any other file becomes plain text."""
    folder = FOLDER / "ar" if language == "ar" else FOLDER

    def link(found: re.Match[str]) -> str:
        path = prose_pages().get(found["file"])
        return found["text"] if path is None else f"[{found['text']}]({href(path)}{found['heading']})"

    return _LINK.sub(link, (folder / file).read_text(encoding="utf-8"))


def html_page(markdown: str, english: str, language: Language) -> tuple[str, Markup]:
    """The title of a page, and its HTML. Headings have the ids of the English page in both languages.

    Raises `ValueError` where the page has other headings than the English one.
    """
    tokens = PARSER.parse(markdown)
    title = "".join(token.content for token in tokens[1].children or ())
    headings = [token for token in tokens if token.type == "heading_open"]
    for heading, anchor in zip(headings, _anchors(english), strict=True):
        heading.attrSet("id", anchor)
    # All text is escaped, so every `<pre>` is the renderer's.
    return title, Markup(str(html_of(tokens, language)).replace("<pre>", _PRE.format(_EXAMPLE[language])))  # noqa: S704


def _anchors(english: str) -> list[str]:
    """The ids of the headings, as GitHub makes them from the English text."""
    tokens = PARSER.parse(english)
    return [heading_anchor(text.content) for outer, text in pairwise(tokens) if outer.type == "heading_open"]
