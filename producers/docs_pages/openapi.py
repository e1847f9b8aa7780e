"""The OpenAPI document as page data: groups of operations, each with its parameters, bodies, answers and a command.

Flows in: the document. Flows out: what the page shows, in document order.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import orjson

from events.schema_tools.compatibility import Schema, without_null
from producers.docs_pages.fields import form_of_pattern

Document = Mapping[str, Any]

_SCHEMA_NAMES: Final = "#/components/schemas/"
_PATTERN_LENGTH_MAX: Final = 60
"""A longer pattern helps no reader; the document has it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, a header, or a member of a body (`plan.groups[].target`)."""

    name: str
    form: str
    required: bool
    about: str
    place: str = ""
    """Of a parameter: `path`, `query` or `header`."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body in one media type. `example` is empty where the document has none."""

    media_type: str
    rows: tuple[Row, ...]
    example: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its status, meaning, headers and bodies."""

    status: str
    about: str
    headers: tuple[Row, ...]
    bodies: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `problems` are its other statuses and what they mean."""

    anchor: str
    method: str
    path: str
    summary: str
    paragraphs: tuple[str, ...]
    needs_token: bool
    parameters: tuple[Row, ...]
    body_about: str
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]
    problems: tuple[tuple[str, str], ...]
    curl: str


def groups_of(document: Document) -> list[tuple[str, list[Operation]]]:
    """The operations by tag, both in document order."""
    schemas = document.get("components", {}).get("schemas", {})
    found = [
        (operation["tags"][0], _operation(method, path, operation, schemas))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    order = list(dict.fromkeys(tag for tag, _ in found))
    found.sort(key=lambda pair: order.index(pair[0]))
    return [(tag, [operation for _, operation in pairs]) for tag, pairs in groupby(found, key=lambda pair: pair[0])]


def _operation(method: str, path: str, operation: Document, schemas: Document) -> Operation:
    request = operation.get("requestBody", {})
    bodies = tuple(_bodies(request.get("content", {}), schemas))
    parameters = tuple(
        Row(
            parameter["name"],
            _form(parameter["schema"], schemas),
            parameter.get("required", False),
            parameter.get("description", ""),
            parameter["in"],
        )
        for parameter in operation.get("parameters", ())
    )
    answers = operation["responses"]
    needs_token = bool(operation.get("security"))
    return Operation(
        anchor=anchor_of(method, path),
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        paragraphs=tuple(" ".join(part.split()) for part in operation.get("description", "").split("\n\n") if part),
        needs_token=needs_token,
        parameters=parameters,
        body_about=request.get("description", ""),
        bodies=bodies,
        answers=tuple(
            Answer(
                status,
                answer["description"],
                tuple(
                    Row(name, _form(header["schema"], schemas), True, header.get("description", ""))
                    for name, header in answer.get("headers", {}).items()
                ),
                tuple(_bodies(answer.get("content", {}), schemas)),
            )
            for status, answer in sorted(answers.items())
            if status < "4"
        ),
        problems=tuple((status, answer["description"]) for status, answer in sorted(answers.items()) if status >= "4"),
        curl=_curl(method, path, parameters, bodies, needs_token),
    )


def anchor_of(method: str, path: str) -> str:
    """`get-v1-events-id`, the same in both languages."""
    return "-".join([method, *re.findall(r"[A-Za-z0-9_.]+", path)])


def _bodies(content: Document, schemas: Document) -> Iterator[Body]:
    for media_type, body in content.items():
        example = orjson.dumps(body["example"], option=orjson.OPT_INDENT_2).decode() if "example" in body else ""
        yield Body(media_type, tuple(_members(body.get("schema", {}), "", schemas)), example)


def _members(schema: Schema, prefix: str, schemas: Document) -> Iterator[Row]:
    found = _plain(schema, schemas)[0]
    if "items" in found:
        yield from _members(found["items"], f"{prefix}[]", schemas)
    if isinstance(found.get("additionalProperties"), dict):
        yield from _members(found["additionalProperties"], f"{prefix}.{{…}}".lstrip("."), schemas)
    for name, member in found.get("properties", {}).items():
        path = f"{prefix}.{name}".lstrip(".")
        about = member.get("description") or _plain(member, schemas)[0].get("description", "")
        yield Row(path, _form(member, schemas), name in found.get("required", ()), about)
        yield from _members(member, path, schemas)


def _plain(schema: Schema, schemas: Document) -> tuple[Schema, bool]:
    """The schema without its alternative `null`, and whether it had one."""
    while str(reference := schema.get("$ref", "")).startswith(_SCHEMA_NAMES):
        schema = schemas[str(reference).removeprefix(_SCHEMA_NAMES)]
    return without_null(schema, {})


def _form(schema: Schema, schemas: Document) -> str:
    found, nullable = _plain(schema, schemas)
    return " | ".join([*_forms(found, schemas), *(["null"] if nullable else [])])


def _forms(schema: Schema, schemas: Document) -> list[str]:
    if "anyOf" in schema:
        return [form for choice in schema["anyOf"] for form in _forms(_plain(choice, schemas)[0], schemas)]
    if "const" in schema or "enum" in schema:
        return [str(choice) for choice in schema.get("enum", [schema.get("const")])]
    kinds = schema.get("type", "any")
    if isinstance(kinds, list):
        return [str(kind) for kind in kinds]
    if kinds == "array":
        return [f"array of {_form(schema['items'], schemas)}" if "items" in schema else "array"]
    if kinds == "string":
        return [_string(schema)]
    return [f"{kinds}{_bounds(schema)}"]


def _string(schema: Schema) -> str:
    if known := form_of_pattern(schema.get("pattern", "")):
        return known
    pattern = str(schema.get("pattern", "")).strip("^$")
    if 0 < len(pattern) <= _PATTERN_LENGTH_MAX:
        return f"string: {pattern}"
    return f"string ({schema['format']})" if "format" in schema else "string"


def _bounds(schema: Schema) -> str:
    match schema.get("minimum"), schema.get("maximum"):
        case None, None:
            return ""
        case least, None:
            return f" ≥ {least}"
        case None, most:
            return f" ≤ {most}"
        case least, most:
            return f" {least} … {most}"


def _curl(method: str, path: str, parameters: Iterable[Row], bodies: tuple[Body, ...], needs_token: bool) -> str:
    """A command for a shell; what the caller must fill in is a variable of its own."""
    address = re.sub(r"\{(\w+)\}", lambda found: f"${{{found[1].upper()}}}", path)
    query = "&".join(
        f"{parameter.name}=${{{parameter.name.upper()}}}"
        for parameter in parameters
        if parameter.place == "query" and parameter.required
    )
    parts = ["curl -sS" + ("" if method == "get" else f" -X {method.upper()}")]
    parts[0] += f' "$YESSER_GATEWAY{address}{"?" + query if query else ""}"'
    if needs_token:
        parts.append('-H "Authorization: Bearer $YESSER_TOKEN"')
    if bodies:
        parts.append(f'-H "Content-Type: {bodies[0].media_type}"')
        parts.append(f"--data-binary {shlex.quote(bodies[0].example or '{}')}")
    return " \\\n  ".join(parts)
