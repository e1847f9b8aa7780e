"""The gateway's documentation site: every page by its path, generated from the catalogue, for a gateway or a folder.

Flows in: the OpenAPI document of the gateway. Flows out: pages. They load nothing from other hosts: style, script and
documents are served beside them.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Bilingual
from events.schema_tools.asyncapi_document import asyncapi_document, entry_schema
from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from events.schema_tools.refusal_examples import golden_example
from events.schema_tools.schema_documents import SENDERS, schema_of
from events.types.catalogue import CATALOGUE
from events.types.contradictions import RULES, contradictions_of
from events.types.domains import DOMAINS
from events.wire.envelope import Envelope, full_type
from infra.http.problems import EXPLANATIONS, PAGE_PREFIX
from producers.docs_pages import words
from producers.docs_pages.asyncapi import channels_of
from producers.docs_pages.explained import Explained, of_event, of_request
from producers.docs_pages.fields import field_rows
from producers.docs_pages.prose import PROSE_PAGES, prose_of, title_of

Document = Mapping[str, Any]
Make = Callable[[], bytes]

START: Final = "/docs"
STYLE: Final = "/docs/site.css"
SCHEMAS: Final = "/schemas"
SCHEMA_LIST: Final = "/schemas/index.json"
ENTRY_SCHEMA: Final = "/schemas/entry.json"
SWAGGER: Final = "/docs/api"
_SWAGGER_FILES: Final = ("swagger-ui-bundle.js", "swagger-ui.css")
_TEMPLATES: Final = files("producers.docs_pages").joinpath("templates")
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
}
_HTML: Final = "text/html; charset=utf-8"
# A left-to-right run begins and ends with a letter, a digit or a bracket; adjacent runs are joined.
_PIECE: Final = r"[±(]*[A-Za-z0-9](?:[A-Za-z0-9_./:^{}()+*=,−–-]*[A-Za-z0-9)}-])?"
_LATIN: Final = re.compile(rf"({_PIECE}(?:[:,]? (?:[−–…] )?{_PIECE})*)", flags=re.ASCII)
CURL: Final = """\
curl -sS "$YESSER_GATEWAY{example}" -o event.json
curl -sS "$YESSER_GATEWAY/v1/events:validate" -H "Authorization: Bearer $YESSER_TOKEN" \\
  -H "Content-Type: application/cloudevents+json" --data-binary @event.json
"""


@dataclass(frozen=True, slots=True)
class Page:
    """The response for a path."""

    media_type: str
    body: bytes
    etag: str


class Site:
    """All pages. With `static`, links are relative and point to files (`file_of`)."""

    def __init__(self, openapi: Callable[[], Document], *, static: bool = False) -> None:
        self._openapi = openapi
        self._static = static
        self._templates = _environment()
        self._makers: dict[str, Make] = {
            **self._documents(),
            **self._html_pages(),
            **{path: partial(self._prose, path) for path in PROSE_PAGES},
            **{event_page(name): partial(self._event, name) for name in CATALOGUE},
            **{problem_page(code): partial(self._problem, partial(of_event, code)) for code in PROBLEMS},
            **{problem_page(code): partial(self._problem, partial(of_request, code)) for code in EXPLANATIONS},
        }
        self._made: dict[str, Page] = {}

    @property
    def paths(self) -> list[str]:
        return list(self._makers)

    def page(self, path: str) -> Page:
        """The page at a path. Raises KeyError if there is none."""
        if path not in self._made:
            media_type = _MEDIA_TYPES.get(posixpath.splitext(path)[1] if _is_file(path) else "", _HTML)
            body = self._makers[path]()
            self._made[path] = Page(media_type, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        return self._made[path]

    def _documents(self) -> dict[str, Make]:
        return {
            "/openapi.json": lambda: orjson.dumps(self._openapi()),
            "/asyncapi.json": lambda: _pretty(asyncapi_document(_version())),
            ENTRY_SCHEMA: lambda: _pretty(entry_schema()),
            SCHEMA_LIST: lambda: _pretty(_schemas()),
            **{schema_path(name): partial(_schema, name) for name in CATALOGUE},
            **{example_path(name): partial(golden_example, name) for name in CATALOGUE},
            STYLE: lambda: _TEMPLATES.joinpath("site.css").read_bytes(),
            **{f"/docs/{name}": partial(_swagger_file, name) for name in _SWAGGER_FILES},
            "/docs/api.js": lambda: _swagger_start(self._openapi()),
        }

    def _html_pages(self) -> dict[str, Make]:
        return {
            START: self._start,
            "/docs/events": self._events,
            "/docs/refusals": self._refusals,
            "/docs/asyncapi": self._asyncapi,
            SCHEMAS: lambda: self._html("schemas.html", SCHEMAS, schemas=_schemas(), list_path=SCHEMA_LIST),
            SWAGGER: lambda: self._html("api.html", SWAGGER),
        }

    def _start(self) -> bytes:
        documents = ["/openapi.json", "/asyncapi.json", SCHEMA_LIST]
        entries = (*words.SECTIONS, *words.MORE)
        return self._html("start.html", START, intro=words.INTRO, entries=entries, documents=documents)

    def _events(self) -> bytes:
        domains = [
            (DOMAINS[domain], list(rows)) for domain, rows in groupby(CATALOGUE.values(), key=lambda r: r.domain)
        ]
        attributes = [
            {"name": name, "required": field.is_required(), "meaning": ATTRIBUTE_MEANINGS[name]}
            for name, field in Envelope.model_fields.items()
        ]
        return self._html(
            "events.html", "/docs/events", domains=domains, attributes=attributes, envelope=words.ENVELOPE
        )

    def _event(self, name: str) -> bytes:
        row = CATALOGUE[name]
        return self._html(
            "event.html",
            event_page(name),
            row=row,
            full_type=full_type(name),
            fields=field_rows(name),
            rules=[(rule.pointer, Bilingual(arabic_of(rule.detail), rule.detail)) for rule in row.rules],
            example=golden_example(name).decode().rstrip(),
            example_path=example_path(name),
            schema=_schema(name).decode().rstrip(),
            schema_path=schema_path(name),
            curl=CURL.format(example=example_path(name)).rstrip(),
            try_it=words.TRY_IT,
            contradictions=[(rule, RULES[rule]) for rule in contradictions_of(name)],
            anomaly=words.ANOMALY,
        )

    def _refusals(self) -> bytes:
        groups = [
            (words.REFUSED_EVENTS, [of_event(code) for code in PROBLEMS]),
            (words.REFUSED_REQUESTS, [of_request(code) for code in EXPLANATIONS]),
        ]
        return self._html("refusals.html", "/docs/refusals", intro=words.REFUSALS, groups=groups)

    def _problem(self, explain: Callable[[], Explained]) -> bytes:
        problem = explain()
        return self._html("problem.html", problem_page(problem.code), problem=problem)

    def _asyncapi(self) -> bytes:
        channels = channels_of(asyncapi_document(_version()))
        return self._html(
            "asyncapi.html", "/docs/asyncapi", channels=channels, actions=words.ACTIONS, intro=words.ASYNCAPI
        )

    def _prose(self, path: str) -> bytes:
        title = Bilingual(words.PROSE_NAMES[path], title_of(path))
        return self._html("prose.html", path, title=title, prose=prose_of(path, partial(self._href, path)))

    def _html(self, template: str, path: str, **context: Any) -> bytes:
        rendered = self._templates.get_template(template).render(
            href=partial(self._href, path),
            current=path,
            sections=[(section, name) for section, name, _ in words.SECTIONS],
            senders=SENDERS,
            version=_version(),
            event_page=event_page,
            problem_page=problem_page,
            **context,
        )
        return rendered.encode()

    def _href(self, source: str, target: str) -> str:
        if not self._static:
            return target
        return posixpath.relpath(file_of(target), posixpath.dirname(file_of(source)) or ".")


def event_page(name: str) -> str:
    return f"/docs/events/{name}"


def problem_page(code: str) -> str:
    """The path of a code's page: the `type` of its problems."""
    return PAGE_PREFIX + code


def schema_path(name: str) -> str:
    """The path of a type's JSON Schema, as the AsyncAPI document links to it."""
    return f"/schemas/{name}.v1.json"


def example_path(name: str) -> str:
    return f"/docs/examples/{name}.json"


def file_of(path: str) -> str:
    """The file of a path in a static site: `index.html`, `docs/events.html`, `asyncapi.json`."""
    if path == START:
        return "index.html"
    return path.lstrip("/") + ("" if _is_file(path) else ".html")


def _is_file(path: str) -> bool:
    return posixpath.splitext(path)[1] in _MEDIA_TYPES


@cache
def _version() -> str:
    return version("yesser-events")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(str(_TEMPLATES)), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"breakable": _breakable, "isolated": _isolated, "short": _short}
    return environment


def _breakable(path: str) -> Markup:
    """Lets a long path break after its dots only."""
    return Markup(".<wbr>").join(escape(step) for step in path.split("."))


def _short(words: Bilingual) -> Bilingual:
    """Without the brackets at the end."""
    return Bilingual(*(text.partition(" (")[0] for text in words))


def _isolated(arabic: str) -> Markup:
    """Arabic text in which codes, dates and ranges keep their left-to-right order."""
    parts = _LATIN.split(arabic)
    return Markup().join(
        Markup("<bdi>{}</bdi>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def _schemas() -> dict[str, str]:
    """Schema name → path."""
    return {"entry": ENTRY_SCHEMA, **{full_type(name): schema_path(name) for name in CATALOGUE}}


@cache
def _schema(name: str) -> bytes:
    return _pretty(schema_of(name))


def _pretty(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _swagger_file(name: str) -> bytes:
    """Swagger UI from the installed package, not from a content-delivery network."""
    return files("fastapi_swagger.resources").joinpath(name).read_bytes()


def _swagger_start(openapi: Document) -> bytes:
    """The script that shows the document. It includes the document, so that it also works from a file."""
    settings = {
        "spec": openapi,
        "dom_id": "#swagger-ui",
        "deepLinking": True,
        "persistAuthorization": False,
        "validatorUrl": None,
        "defaultModelsExpandDepth": 0,
    }
    return b"SwaggerUIBundle(" + orjson.dumps(settings) + b");\n"
