"""Writes the Markdown of a page in one language, from a template of `templates/`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from events.values.bilingual import Bilingual, Language

TEMPLATES: Final = Environment(
    loader=FileSystemLoader(str(files("producers.docs_pages").joinpath("templates"))),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
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
