"""The Markdown of each page: made from the catalogue, the tables of refusals or the OpenAPI document, or of `docs/`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from itertools import groupby
from typing import Final

from events.faults.details import arabic_of
from events.faults.problems import PROBLEMS, Code
from events.schema_tools.asyncapi_document import asyncapi_document
from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS, meaning_of
from events.schema_tools.refusal_examples import REFUSAL_EXAMPLES, faults_of, golden_example
from events.schema_tools.schema_documents import SENDERS, schema_of
from events.types.catalogue import CATALOGUE, DOMAINS
from events.types.contradictions import RULES, contradictions_of
from events.values.bilingual import Bilingual
from events.wire.envelope import Envelope, full_type
from infra.http.problems import EXPLANATIONS, PAGE_PREFIX, RequestCode
from producers.docs_pages.openapi import API, Document, Operation, operations_of, rows_of, tag_of
from producers.docs_pages.writer import Writer, prose_of, prose_pages

Write = Callable[[Writer], str]
"""Writes the Markdown of a page."""
VERSION: Final = version("yesser-events")
START: Final = "/docs"
LLMS: Final = "/llms.txt"
"""The list of the pages as Markdown, for programs (llmstxt.org)."""
SCHEMAS: Final = "/schemas"
SCHEMA_LIST: Final = "/schemas/index.json"
ENTRY_SCHEMA: Final = "/schemas/entry.json"


def pages_of(openapi: Document) -> dict[str, Write]:
    """Path → the page. `openapi` is the gateway's document."""
    operations = operations_of(openapi)
    return {
        START: lambda writer: writer.page("start.md", documents=("/openapi.json", "/asyncapi.json", SCHEMA_LIST, LLMS)),
        "/docs/events": _events,
        "/docs/refusals": _refusals,
        "/docs/asyncapi": _asyncapi,
        SCHEMAS: lambda writer: writer.page("schemas.md", schemas=schema_paths(), list_path=SCHEMA_LIST),
        API: partial(_api, operations),
        **{operation.page: partial(_operation, operation) for operation in operations},
        **{event_page(name): partial(_event, name) for name in CATALOGUE},
        **{problem_page(code): partial(_refusal, code) for code in PROBLEMS},
        **{problem_page(code): partial(_problem, code) for code in EXPLANATIONS},
        **{path: partial(_prose, file) for file, path in prose_pages().items()},
    }


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


def schema_paths() -> dict[str, str]:
    """Schema name → path."""
    return {"entry": ENTRY_SCHEMA, **{full_type(name): schema_path(name) for name in CATALOGUE}}


def _events(writer: Writer) -> str:
    domains = [(DOMAINS[name], list(rows)) for name, rows in groupby(CATALOGUE.values(), key=lambda row: row.domain)]
    attributes = [(name, field, ATTRIBUTE_MEANINGS[name]) for name, field in Envelope.model_fields.items()]
    return writer.page("events.md", domains=domains, attributes=attributes, event_page=event_page, senders=SENDERS)


def _event(name: str, writer: Writer) -> str:
    row, schema = CATALOGUE[name], schema_of(name)
    return writer.page(
        "event.md",
        row=row,
        full_type=full_type(name),
        senders=SENDERS,
        rows=list(rows_of(schema["properties"]["data"], schema)),
        meaning=lambda field: writer.say(meaning_of(name, field.path)),
        rules=[(rule.pointer, Bilingual(arabic_of(rule.detail), rule.detail)) for rule in row.rules],
        example=golden_example(name).decode().rstrip(),
        example_path=example_path(name),
        schema_path=schema_path(name),
        contradictions=[(rule, RULES[rule]) for rule in contradictions_of(name)],
    )


def _refusals(writer: Writer) -> str:
    return writer.page("refusals.md", events=PROBLEMS, requests=EXPLANATIONS, problem_page=problem_page)


def _refusal(code: Code, writer: Writer) -> str:
    """The page of what can be wrong with an event."""
    title, remedy = PROBLEMS[code]
    faults = [(fault, Bilingual(arabic_of(fault.detail), fault.detail)) for fault in faults_of(code)]
    example = REFUSAL_EXAMPLES[code]
    return writer.page("problem.md", name=code, title=title, remedy=remedy, example=example, faults=faults)


def _problem(code: RequestCode, writer: Writer) -> str:
    """The page of what can be wrong with a request."""
    known = EXPLANATIONS[code]
    return writer.page("problem.md", name=code, title=known.title, remedy=known.detail, status=known.status)


def _asyncapi(writer: Writer) -> str:
    document = asyncapi_document(VERSION)
    return writer.page(
        "asyncapi.md",
        channels=document["channels"],
        operations=document["operations"].values(),
        messages=document["components"]["messages"],
        pages={full_type(name): event_page(name) for name in CATALOGUE},
        entry_schema=ENTRY_SCHEMA,
    )


def _api(operations: list[Operation], writer: Writer) -> str:
    return writer.page("api.md", groups=[(tag, list(of)) for tag, of in groupby(operations, key=tag_of)])


def _operation(operation: Operation, writer: Writer) -> str:
    return writer.page("operation.md", operation=operation, meaning=lambda row: writer.api_text(row.about), api=API)


def _prose(file: str, writer: Writer) -> str:
    return prose_of(file, writer.language, writer.href)
