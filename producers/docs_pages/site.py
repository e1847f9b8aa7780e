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
from typing import Any, Final, get_args

import orjson

from events.schema_tools.asyncapi_document import asyncapi_document, entry_schema
from events.schema_tools.refusal_examples import golden_example
from events.schema_tools.schema_documents import schema_of
from events.types.catalogue import CATALOGUE
from infra.http.problems import Language
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
from producers.docs_pages.prose import html_page
from producers.docs_pages.writer import TEMPLATES, Writer

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
STYLE: Final = "/docs/site.css"
_MARKDOWN: Final = ".md"
_HTML: Final = "text/html; charset=utf-8"
_MEDIA_TYPES: Final = {
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


@dataclass(frozen=True, slots=True)
class View:
    """A page as a reader sees it: its path, the address that it is read at, its language."""

    path: str
    address: str
    language: Language


class Site:
    """All pages. With `static`, links are relative and point to files (`file_of`)."""

    def __init__(
        self, describe: Callable[[], Document], *, static: bool = False, arabic: Mapping[str, str] | None = None
    ) -> None:
        """`describe` gives the gateway's OpenAPI document, `arabic` the Arabic of its texts."""
        self._describe = describe
        self._static = static
        self._arabic = arabic_texts() if arabic is None else arabic
        self._documents: dict[str, Callable[[], bytes]] = {
            "/openapi.json": lambda: orjson.dumps(describe()),
            "/asyncapi.json": lambda: _pretty(asyncapi_document(VERSION)),
            ENTRY_SCHEMA: lambda: _pretty(entry_schema()),
            SCHEMA_LIST: lambda: _pretty(schema_paths()),
            **{schema_path(name): partial(_schema, name) for name in CATALOGUE},
            **{example_path(name): partial(golden_example, name) for name in CATALOGUE},
            STYLE: files("producers.docs_pages").joinpath("templates", "site.css").read_bytes,
            LLMS: lambda: self._markdown(View(START, LLMS, "en")).encode(),
        }
        self._made: dict[View | str, Page] = {}

    @property
    def paths(self) -> list[str]:
        """Every address: documents, pages in the reader's language, and pages in each language."""
        return [*self._documents, *self._writers, *self._views]

    def page(self, address: str, preferred: Language = "ar") -> Page:
        """The page at an address, in the preferred language if the address names none. Raises KeyError if there is
        none."""
        if address in self._documents:
            if address not in self._made:
                self._made[address] = _page(address, self._documents[address](), None)
            return self._made[address]
        view = self._view(address, preferred)
        if view not in self._made:
            body = self._markdown(view) if view.address.endswith(_MARKDOWN) else self._html(view)
            self._made[view] = _page(view.address, body.encode(), view.language)
        return self._made[view]

    @cached_property
    def _writers(self) -> dict[str, Write]:
        """Path of a page → what writes it."""
        return pages_of(self._describe())

    @cached_property
    def _views(self) -> dict[str, View]:
        """Address with a language → the page at it."""
        found = product(self._writers, LANGUAGES, ("", _MARKDOWN))
        views = (View(path, localized(path, language) + ending, language) for path, language, ending in found)
        return {view.address: view for view in views}

    def _view(self, address: str, preferred: Language) -> View:
        """In a folder, an address without a language is a file of its own, with links of its own."""
        if address not in self._writers:
            return self._views[address]
        return View(address, address if self._static else localized(address, preferred), preferred)

    def _markdown(self, view: View) -> str:
        return self._writers[view.path](Writer(view.language, partial(self._href, view, _MARKDOWN), self._arabic))

    def _html(self, view: View) -> str:
        write = self._writers[view.path]
        markdown, english = (write(Writer(language, str, self._arabic)) for language in (view.language, "en"))
        title, content = html_page(markdown, english, view.language, partial(self._href, view, ""))
        return TEMPLATES.get_template("layout.html").render(
            language=view.language,
            title=title,
            content=content,
            label=lambda ar, en: ar if view.language == "ar" else en,
            href=partial(self._href, view, ""),
            switched=lambda language: self._link(view, localized(view.path, language)),
            markdown=self._link(view, localized(view.path, view.language) + _MARKDOWN),
            current=view.path,
            version=VERSION,
        )

    def _href(self, view: View, ending: str, path: str) -> str:
        """A link from a page to a document, or to another page in the same language."""
        return self._link(view, path if path in self._documents else localized(path, view.language) + ending)

    def _link(self, view: View, target: str) -> str:
        if not self._static:
            return target
        return posixpath.relpath(file_of(target), posixpath.dirname(file_of(view.address)) or ".")


def localized(path: str, language: Language) -> str:
    """The address of a page in a language: `/docs/ar/events`, `/docs/ar/problems/conflict`."""
    return f"{START}/{language}{path.removeprefix(START)}"


def file_of(path: str) -> str:
    """The file of an address in a static site: `index.html`, `docs/ar/events.html`, `asyncapi.json`."""
    if path == START:
        return "index.html"
    return path.lstrip("/") + ("" if posixpath.splitext(path)[1] in _MEDIA_TYPES else ".html")


def _page(address: str, body: bytes, language: Language | None) -> Page:
    media_type = _MEDIA_TYPES.get(posixpath.splitext(address)[1], _HTML)
    return Page(media_type, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', language)


def _schema(name: str) -> bytes:
    return _pretty(schema_of(name))


def _pretty(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
