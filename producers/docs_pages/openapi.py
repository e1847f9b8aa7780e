"""What the page of the HTTP API shows of an operation of the OpenAPI document: its parameters, headers, the members of
its bodies, and a command. `schemas` are those that the document names.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


def groups_of(document: Document) -> list[tuple[str, list[tuple[str, str, Document]]]]:
    """The operations by tag, each with its method and path, in document order."""
    groups: dict[str, list[tuple[str, str, Document]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append((method, path, operation))
    return list(groups.items())


def paragraphs_of(operation: Document) -> list[str]:
    return [" ".join(part.split()) for part in operation.get("description", "").split("\n\n") if part]


def parameters_of(schemas: Document, operation: Document) -> list[Row]:
    return [
        Row(
            parameter["name"],
            _form(parameter["schema"], schemas),
            parameter.get("required", False),
            parameter.get("description", ""),
            parameter["in"],
        )
        for parameter in operation.get("parameters", ())
    ]


def headers_of(schemas: Document, answer: Document) -> list[Row]:
    return [
        Row(name, _form(header["schema"], schemas), True, header.get("description", ""))
        for name, header in answer.get("headers", {}).items()
    ]


def anchor_of(method: str, path: str) -> str:
    """`get-v1-events-id`, the same in both languages."""
    return "-".join([method, *re.findall(r"[A-Za-z0-9_.]+", path)])


def bodies_of(schemas: Document, part: Document) -> Iterator[Body]:
    """The bodies of a request or an answer, by media type."""
    for media_type, body in part.get("content", {}).items():
        yield Body(media_type, tuple(_members(body.get("schema", {}), "", schemas)), _example(body))


def _example(body: Document) -> str:
    return orjson.dumps(body["example"], option=orjson.OPT_INDENT_2).decode() if "example" in body else ""


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


def curl_of(method: str, path: str, operation: Document) -> str:
    """A command for a shell; what the caller must fill in is a variable of its own."""
    address = re.sub(r"\{(\w+)\}", lambda found: f"${{{found[1].upper()}}}", path)
    query = "&".join(
        f"{row['name']}=${{{row['name'].upper()}}}"
        for row in operation.get("parameters", ())
        if row["in"] == "query" and row.get("required")
    )
    parts = ["curl -sS" + ("" if method == "get" else f" -X {method.upper()}")]
    parts[0] += f' "$YESSER_GATEWAY{address}{"?" + query if query else ""}"'
    if operation.get("security"):
        parts.append('-H "Authorization: Bearer $YESSER_TOKEN"')
    for media_type, body in list(operation.get("requestBody", {}).get("content", {}).items())[:1]:
        parts.append(f'-H "Content-Type: {media_type}"')
        parts.append(f"--data-binary {shlex.quote(_example(body) or '{}')}")
    return " \\\n  ".join(parts)
