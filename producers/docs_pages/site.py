"""The gateway's documentation site: every page by its path, generated from the catalogue, for a gateway or a folder.

Flows in: the OpenAPI document of the gateway. Flows out: pages, each in one language. They run no script and load
nothing from other hosts: style and documents are served beside them. `/docs/events` has the page in the reader's
language, `/docs/ar/events` and `/docs/en/events` in this one.
"""

from __future__ import annotations

import hashlib
import posixpath
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
from events.faults.problems import PROBLEMS, Code
from events.schema_tools.asyncapi_document import asyncapi_document, entry_schema
from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from events.schema_tools.refusal_examples import REFUSAL_EXAMPLES, faults_of, golden_example
from events.schema_tools.schema_documents import SENDERS, schema_of
from events.types.catalogue import CATALOGUE
from events.types.contradictions import RULES, contradictions_of
from events.types.domains import DOMAINS
from events.values.bilingual import LANGUAGES, Bilingual, Language
from events.wire.envelope import Envelope, full_type
from infra.http.problems import EXPLANATIONS, PAGE_PREFIX, RequestCode
from infra.http.prose import isolated
from producers.docs_pages import openapi, words
from producers.docs_pages.fields import field_rows
from producers.docs_pages.prose import PROSE_PAGES, prose_of, title_of

Document = Mapping[str, Any]
Make = Callable[[], bytes]

START: Final = "/docs"
STYLE: Final = "/docs/site.css"
SCHEMAS: Final = "/schemas"
SCHEMA_LIST: Final = "/schemas/index.json"
ENTRY_SCHEMA: Final = "/schemas/entry.json"
API: Final = "/docs/api"
_TEMPLATES: Final = files("producers.docs_pages").joinpath("templates")
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
}
_HTML: Final = "text/html; charset=utf-8"
CURL: Final = """\
curl -sS "$YESSER_GATEWAY{example}" -o event.json
curl -sS "$YESSER_GATEWAY/v1/events:validate" -H "Authorization: Bearer $YESSER_TOKEN" \\
  -H "Content-Type: application/cloudevents+json" --data-binary @event.json
"""


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


MakeView = Callable[[View], bytes]


class Site:
    """All pages. With `static`, links are relative and point to files (`file_of`)."""

    def __init__(self, describe: Callable[[], Document], *, static: bool = False) -> None:
        """`describe` gives the gateway's OpenAPI document."""
        self._openapi = describe
        self._static = static
        self._templates = _environment()
        self._makers = self._documents()
        self._views: dict[str, MakeView] = {
            **self._html_pages(),
            **dict.fromkeys(PROSE_PAGES, self._prose),
            **{event_page(name): partial(self._event, name) for name in CATALOGUE},
            **{problem_page(code): partial(self._refusal, code) for code in PROBLEMS},
            **{problem_page(code): partial(self._problem, code) for code in EXPLANATIONS},
        }
        self._made: dict[tuple[str, Language], Page] = {}

    @property
    def paths(self) -> list[str]:
        """Every address: documents, pages in the reader's language, and pages in each language."""
        return [*self._makers, *self._views, *(localized(path, one) for one in LANGUAGES for path in self._views)]

    def page(self, address: str, preferred: Language = "ar") -> Page:
        """The page at an address, in the preferred language if the address names none. Raises KeyError if there is
        none."""
        if address in self._makers:
            path, language = address, preferred
        else:
            path, language = _parted(address, preferred)
            if path not in self._views:
                raise KeyError(address)
        key = (address if self._static else path, language)
        if key not in self._made:
            self._made[key] = self._make(View(path, address, language))
        return self._made[key]

    def _make(self, view: View) -> Page:
        document = self._makers.get(view.path)
        body = document() if document else self._views[view.path](view)
        media_type = _MEDIA_TYPES[posixpath.splitext(view.path)[1]] if document else _HTML
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return Page(media_type, body, etag, None if document else view.language)

    def _documents(self) -> dict[str, Make]:
        return {
            "/openapi.json": lambda: orjson.dumps(self._openapi()),
            "/asyncapi.json": lambda: _pretty(asyncapi_document(_version())),
            ENTRY_SCHEMA: lambda: _pretty(entry_schema()),
            SCHEMA_LIST: lambda: _pretty(_schemas()),
            **{schema_path(name): partial(_schema, name) for name in CATALOGUE},
            **{example_path(name): partial(golden_example, name) for name in CATALOGUE},
            STYLE: lambda: _TEMPLATES.joinpath("site.css").read_bytes(),
        }

    def _html_pages(self) -> dict[str, MakeView]:
        return {
            START: self._start,
            "/docs/events": self._events,
            "/docs/refusals": self._refusals,
            "/docs/asyncapi": self._asyncapi,
            SCHEMAS: lambda view: self._html("schemas.html", view, schemas=_schemas(), list_path=SCHEMA_LIST),
            API: self._api,
        }

    def _start(self, view: View) -> bytes:
        documents = ["/openapi.json", "/asyncapi.json", SCHEMA_LIST]
        entries = (*words.SECTIONS, *words.MORE)
        return self._html("start.html", view, intro=words.INTRO, entries=entries, documents=documents)

    def _events(self, view: View) -> bytes:
        domains = [
            (DOMAINS[domain], list(rows)) for domain, rows in groupby(CATALOGUE.values(), key=lambda r: r.domain)
        ]
        attributes = [
            {"name": name, "required": field.is_required(), "meaning": ATTRIBUTE_MEANINGS[name]}
            for name, field in Envelope.model_fields.items()
        ]
        return self._html("events.html", view, domains=domains, attributes=attributes, envelope=words.ENVELOPE)

    def _event(self, name: str, view: View) -> bytes:
        row = CATALOGUE[name]
        return self._html(
            "event.html",
            view,
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

    def _refusals(self, view: View) -> bytes:
        groups = [
            (words.REFUSED_EVENTS, [(code, known.title, None) for code, known in PROBLEMS.items()]),
            (words.REFUSED_REQUESTS, [(code, known.title, known.status) for code, known in EXPLANATIONS.items()]),
        ]
        return self._html("refusals.html", view, intro=words.REFUSALS, groups=groups)

    def _refusal(self, code: Code, view: View) -> bytes:
        """The page of what can be wrong with an event."""
        title, remedy = PROBLEMS[code]
        faults = [(fault, Bilingual(arabic_of(fault.detail), fault.detail)) for fault in faults_of(code)]
        shown = {"title": title, "remedy": remedy, "example": REFUSAL_EXAMPLES[code], "faults": faults}
        return self._html("problem.html", view, code=code, status=None, **shown)

    def _problem(self, code: RequestCode, view: View) -> bytes:
        """The page of what can be wrong with a request."""
        known = EXPLANATIONS[code]
        shown = {"title": known.title, "remedy": known.detail, "example": None, "faults": ()}
        return self._html("problem.html", view, code=code, status=known.status, **shown)

    def _api(self, view: View) -> bytes:
        document = self._openapi()
        schemas = document.get("components", {}).get("schemas", {})
        return self._html(
            "api.html",
            view,
            groups=[(words.API_TAGS.get(tag, Bilingual(tag, tag)), rows) for tag, rows in openapi.groups_of(document)],
            parameters_of=partial(openapi.parameters_of, schemas),
            headers_of=partial(openapi.headers_of, schemas),
            bodies_of=lambda part: list(openapi.bodies_of(schemas, part)),
            page=openapi,
            told=partial(_told, view.language),
            places=words.API_PLACES,
            intro=words.API,
            shell=words.API_SHELL,
        )

    def _asyncapi(self, view: View) -> bytes:
        document = asyncapi_document(_version())
        return self._html(
            "asyncapi.html",
            view,
            channels=document["channels"],
            operations=document["operations"].values(),
            known=document["components"]["messages"],
            types={full_type(name): name for name in CATALOGUE},
            actions=words.ACTIONS,
            intro=words.ASYNCAPI,
        )

    def _prose(self, view: View) -> bytes:
        title = Bilingual(*(title_of(view.path, one) for one in LANGUAGES))
        prose = prose_of(view.path, view.language, partial(self._href, view))
        return self._html("prose.html", view, title=title, prose=prose)

    def _html(self, template: str, view: View, **context: Any) -> bytes:
        say = partial(_said, view.language)
        rendered = self._templates.get_template(template).render(
            language=view.language,
            say=say,
            label=lambda *pair: say(Bilingual(*pair)),
            plain_label=lambda *pair: getattr(Bilingual(*pair), view.language),
            href=partial(self._href, view),
            switched=lambda language: self._link(view, localized(view.path, language)),
            current=view.path,
            sections=[(section, name) for section, name, _ in words.SECTIONS],
            senders=SENDERS,
            version=_version(),
            event_page=event_page,
            problem_page=problem_page,
            **context,
        )
        return rendered.encode()

    def _href(self, view: View, path: str) -> str:
        """A link from a page to a document, or to another page in the same language."""
        return self._link(view, path if path in self._makers else localized(path, view.language))

    def _link(self, view: View, target: str) -> str:
        if not self._static:
            return target
        return posixpath.relpath(file_of(target), posixpath.dirname(file_of(view.address)) or ".")


def localized(path: str, language: Language) -> str:
    """The address of a page in a language: `/docs/ar/events`, `/docs/ar/problems/conflict`."""
    return f"{START}/{language}{path.removeprefix(START)}"


def _parted(address: str, preferred: Language) -> tuple[str, Language]:
    """The path of a page and its language, from its address."""
    for language in LANGUAGES:
        prefix = localized(START, language)
        if address == prefix or address.startswith(f"{prefix}/"):
            rest = address.removeprefix(prefix)
            return rest if rest == SCHEMAS or rest.startswith(PAGE_PREFIX) else START + rest, language
    return address, preferred


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
    """The file of an address in a static site: `index.html`, `docs/ar/events.html`, `asyncapi.json`."""
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
    environment.filters |= {"breakable": _breakable, "short": _short}
    return environment


def _breakable(path: str) -> Markup:
    """Lets a long path break after its dots only."""
    return Markup(".<wbr>").join(escape(step) for step in path.split("."))


def _told(language: Language, english: str) -> Markup:
    """A text of the OpenAPI document in the language; what is between backquotes is code."""
    text, escaped = (words.api_texts()[english], isolated) if language == "ar" else (english, escape)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else escaped(part)
        for place, part in enumerate(text.split("`"))
    )


def _short(words: Bilingual) -> Bilingual:
    """Without the brackets at the end."""
    return Bilingual(*(text.partition(" (")[0] for text in (words.ar, words.en)))


def _said(language: Language, words: Bilingual) -> Markup:
    return isolated(words.ar) if language == "ar" else escape(words.en)


def _schemas() -> dict[str, str]:
    """Schema name → path."""
    return {"entry": ENTRY_SCHEMA, **{full_type(name): schema_path(name) for name in CATALOGUE}}


@cache
def _schema(name: str) -> bytes:
    return _pretty(schema_of(name))


def _pretty(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
