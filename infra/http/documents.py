"""Shared parts of the OpenAPI documents: responses and problems."""

from __future__ import annotations

from typing import Any, Final, get_args

from msgspec.json import schema_components

from events.values.bilingual import Language
from infra.http.problems import CONTENT_TYPE

Schema = dict[str, Any]
"""A part of an OpenAPI document."""
TEXT: Final = {"type": "string"}
BINARY: Final = {"type": "string", "format": "binary"}
INTEGER: Final = {"type": "integer", "minimum": 0}
ERROR_ROWS: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["code", "detail"],
        "properties": {
            "code": TEXT,
            "pointer": {"type": "string", "description": "RFC 6901, into the request's body."},
            "parameter": TEXT,
            "detail": TEXT,
            "event": INTEGER,
            "id": TEXT,
        },
    },
}


PROBLEM_SCHEMA: Final[Schema] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": TEXT,
        "status": INTEGER,
        "detail": TEXT,
        "errors": ERROR_ROWS,
        "unlisted": INTEGER,
        "outcome": {"const": "unknown"},
    },
}
_MEANINGS: Final = {
    400: "The request is malformed, or has an unknown query parameter.",
    401: "No valid token.",
    403: "The token does not allow this, or the agency is suspended.",
    404: "Not found.",
    408: "The body did not arrive in time; nothing was stored.",
    409: "The current state does not allow this change; `errors` says why.",
    413: "The request, or its only event, is too large.",
    414: "The path and query are longer than 8 KiB.",
    415: "The content type is not supported.",
    422: "Events or the body have faults (each is listed), or a parameter is not valid.",
    429: "Too many requests; see Retry-After.",
    500: "A fault of the gateway or of what it reads; `errors` names an entry of the log that was changed.",
    503: "Kafka or the database is not available, or the gateway is busy; nothing was stored.",
    504: "The outcome is unknown: send the same events again.",
}


_AT: Final = "#/documents/"
_OF_EVERY: Final = (400, 414, 429)
"""An operation without parameters refuses an unknown one too (400); the others come from limits."""

HEADERS: Final[dict[str, Schema]] = {
    "Content-Language": {"description": "That of the problem's texts.", "schema": {"enum": list(get_args(Language))}},
    "Retry-After": {"description": "Seconds to wait before the same request is sent again.", "schema": INTEGER},
    "WWW-Authenticate": {"description": "The scheme of the token: `Bearer`.", "schema": TEXT},
}
"""Headers of problems, which the document has once."""
_OF_STATUS: Final = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After", 504: "Retry-After"}


def answer(description: str, schema: Schema, media_type: str = "application/json") -> Schema:
    """One response of an operation."""
    return {"description": description, "content": {media_type: {"schema": schema}}}


def shape(**properties: Schema) -> Schema:
    """An object whose properties are all required."""
    return {"type": "object", "required": list(properties), "properties": properties}


def problems(*statuses: int) -> dict[int | str, Schema]:
    """The problem responses (RFC 9457) of an operation, those that any may give included."""
    return {status: _problem(status, _OF_STATUS.get(status)) for status in sorted({*statuses, *_OF_EVERY})}


def not_yet() -> Schema:
    """A 404 that may mean *not yet*: then it says when to ask again."""
    return _problem(404, "Retry-After")


def _problem(status: int, header: str | None) -> Schema:
    names = ["Content-Language"] + ([] if header is None else [header])
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {**answer(_MEANINGS[status], PROBLEM_SCHEMA, CONTENT_TYPE), "headers": headers}


def schema_of(document: Any) -> Schema:
    """The schema of one document or of a `list` of them, with those of its parts inside.

    A field has the description of its `Meta`.
    """
    (made,), components = schema_components([document], ref_template=_AT + "{name}")
    schema: Schema = _with_parts(made, components)
    return schema


def _with_parts(value: Any, components: Schema) -> Any:
    if isinstance(value, list):
        return [_with_parts(one, components) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        found = _with_parts(components[value["$ref"].removeprefix(_AT)], components)
        return found | {name: member for name, member in value.items() if name != "$ref"}
    # A title is for who reads the code, and so is the description of a class.
    own: tuple[str, ...] = ("title",) if isinstance(value.get("title"), str) else ()
    if own and ("properties" in value or "enum" in value):
        own = ("title", "description")
    kind = {"type": "string"} if "type" not in value and _is_of_texts(value.get("enum")) else {}
    return kind | {name: _with_parts(member, components) for name, member in value.items() if name not in own}


def _is_of_texts(values: Any) -> bool:
    """Generators of clients need the type of an enumeration too, which msgspec leaves out."""
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
