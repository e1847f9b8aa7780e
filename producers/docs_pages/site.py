"""The gateway's documentation site: every page by its address, for a gateway or a folder.

Flows in: the OpenAPI document of the gateway. Flows out: pages, each in one language, which run no script and load
nothing from other hosts. All are written in Markdown (`pages`). `/docs/events` has the page in the reader's language,
`/docs/ar/events` and `/docs/en/events` in this one, `/docs/en/events.md` its Markdown.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.resources import files
from itertools import product
from typing import Any, Final

import orjson

from events.schema_tools.asyncapi_document import asyncapi_document, entry_schema
from events.schema_tools.refusal_examples import golden_example
from events.schema_tools.schema_documents import schema_of
from events.types.catalogue import CATALOGUE
from events.values.bilingual import LANGUAGES, Language
from infra.http.prose import in_reading_order_html
from producers.docs_pages.openapi import Document, arabic_texts
from producers.docs_pages.pages import (
    ENTRY_SCHEMA,
    LLMS,
    SCHEMA_LIST,
    START,
    VERSION,
    Write,
    example_path,
    pages_of,
    schema_path,
    schema_paths,
)
from producers.docs_pages.writer import TEMPLATES, Writer, html_page

STYLE: Final = "/docs/site.css"
_MARKDOWN: Final = ".md"
_HTML: Final = "text/html; charset=utf-8"
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    _MARKDOWN: "text/markdown; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Page:
    """The response for a path. `language` is None for a document, which is the same for every reader."""

    media_type: str
    body: bytes
    etag: str
    language: Language | None


class Site:
    """All pages."""

    def __init__(self, describe: Callable[[], Document], arabic: Mapping[str, str] | None = None) -> None:
        """`describe` gives the gateway's OpenAPI document, `arabic` the Arabic of its texts."""
        self._describe = describe
        self._arabic = arabic_texts() if arabic is None else arabic
        self._documents: dict[str, Callable[[], bytes]] = {
            "/openapi.json": lambda: orjson.dumps(describe()),
            "/asyncapi.json": lambda: _pretty(asyncapi_document(VERSION)),
            ENTRY_SCHEMA: lambda: _pretty(entry_schema()),
            SCHEMA_LIST: lambda: _pretty(schema_paths()),
            **{schema_path(name): partial(_schema, name) for name in CATALOGUE},
            **{example_path(name): partial(golden_example, name) for name in CATALOGUE},
            STYLE: files("producers.docs_pages").joinpath("templates", "site.css").read_bytes,
            LLMS: lambda: self._markdown(START, "en").encode(),
        }
        self._made: dict[str, Page] = {}

    @property
    def paths(self) -> list[str]:
        """Every address: documents, pages in the reader's language, and pages in each language, also as Markdown."""
        return [*self._documents, *self._writers, *self._views, *(address + _MARKDOWN for address in self._views)]

    def page(self, address: str, preferred: Language = "ar") -> Page:
        """The page at an address, in the preferred language if the address names none. Raises KeyError if there is
        none."""
        if address in self._writers:
            address = localized(address, preferred)
        if address not in self._made:
            self._made[address] = self._make(address)
        return self._made[address]

    def _make(self, address: str) -> Page:
        language: Language | None = None
        if address in self._documents:
            body = self._documents[address]()
        else:
            path, language = self._views[address.removesuffix(_MARKDOWN)]
            make = self._markdown if address.endswith(_MARKDOWN) else self._html
            body = make(path, language).encode()
        media_type = MEDIA_TYPES.get(posixpath.splitext(address)[1], _HTML)
        return Page(media_type, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', language)

    @cached_property
    def _writers(self) -> dict[str, Write]:
        """Path of a page → what writes it."""
        return pages_of(self._describe())

    @cached_property
    def _views(self) -> dict[str, tuple[str, Language]]:
        """Address of a page in a language → its path and the language."""
        return {localized(*view): view for view in product(self._writers, LANGUAGES)}

    def _markdown(self, path: str, language: Language) -> str:
        return self._writers[path](Writer(language, partial(self._href, language, _MARKDOWN), self._arabic))

    def _html(self, path: str, language: Language) -> str:
        write, href = self._writers[path], partial(self._href, language, "")
        markdown, english = (write(Writer(one, href, self._arabic)) for one in (language, "en"))
        title, content = html_page(markdown, english, language)
        page = TEMPLATES.get_template("layout.html").render(
            language=language,
            title=title,
            content=content,
            label=lambda ar, en: ar if language == "ar" else en,
            href=href,
            switched=partial(localized, path),
            markdown=localized(path, language) + _MARKDOWN,
            current=path,
            version=VERSION,
        )
        return in_reading_order_html(page) if language == "ar" else page

    def _href(self, language: Language, ending: str, path: str) -> str:
        """A link from a page to a document, or to another page in the same language."""
        return path if path in self._documents else localized(path, language) + ending


def localized(path: str, language: Language) -> str:
    """The address of a page in a language: `/docs/ar/events`, `/docs/ar/problems/conflict`."""
    return f"{START}/{language}{path.removeprefix(START)}"


def _schema(name: str) -> bytes:
    return _pretty(schema_of(name))


def _pretty(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
