"""What the OpenAPI document says of bodies and answers that FastAPI cannot see for itself."""

from __future__ import annotations

from typing import Any, Final

from events.envelope import EVENT_ID_PATTERN, SOURCE_PATTERN
from producers.gateway.problems import CONTENT_TYPE

_TEXT: Final = {"type": "string"}
_INTEGER: Final = {"type": "integer", "minimum": 0}

_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "pattern": EVENT_ID_PATTERN},
        "source": {"type": "string", "pattern": SOURCE_PATTERN},
        "type": _TEXT,
        "subject": _TEXT,
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object"},
    },
}
_EVENT_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "launch-1",
    "source": "urn:yesser:agency:health",
    "type": "sa.gov.yesser.service.launched.v1",
    "subject": "service/appointments",
    "time": "2006-05-01T09:00:00+03:00",
    "data": {"service_id": "appointments", "on": "2006-05-01", "channels": ["web"]},
}

EVENTS_REQUEST: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "Structured or batched CloudEvents 1.0; in binary mode the body is `data`, and every attribute"
        " is a header `ce-<name>`, percent-encoded.",
        "content": {
            "application/cloudevents+json": {"schema": _EVENT, "example": _EVENT_EXAMPLE},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": _EVENT},
                "example": [_EVENT_EXAMPLE],
            },
            "application/json": {"schema": {"type": "object"}, "example": _EVENT_EXAMPLE["data"]},
        },
    }
}

ERROR_ROWS: Final[dict[str, Any]] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["code", "detail"],
        "properties": {
            "code": _TEXT,
            "pointer": {"type": "string", "description": "RFC 6901, into the request's body."},
            "parameter": _TEXT,
            "detail": _TEXT,
            "event": _INTEGER,
            "id": _TEXT,
        },
    },
}


def answer(description: str, schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    """One answer of an operation."""
    return {"description": description, "content": {media_type: {"schema": schema}}}


def shape(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object of which every property is there."""
    return {"type": "object", "required": list(properties), "properties": properties}


RECEIPT: Final = answer(
    "Every event of the receipt is durable. The signature is Ed25519 over the RFC 8785 form of `receipt`.",
    {
        "type": "object",
        "required": ["receipt", "key", "signature"],
        "properties": {
            "receipt": shape(
                kind=_TEXT,
                agency=_TEXT,
                time=_TEXT,
                events={"type": "array", "items": shape(event=_INTEGER, id=_TEXT, address=_TEXT, sha256=_TEXT)},
            ),
            "key": _TEXT,
            "signature": {"type": "string", "contentEncoding": "base64"},
            "refused": ERROR_ROWS,
        },
    },
)
VALIDATION: Final = answer(
    "The verdict on every event.",
    {
        "type": "object",
        "required": ["valid", "accepted", "errors"],
        "properties": {
            "valid": {"type": "boolean"},
            "accepted": {"type": "array", "items": shape(event=_INTEGER, id=_TEXT, type=_TEXT)},
            "errors": ERROR_ROWS,
            "unlisted": _INTEGER,
        },
    },
)
_VERDICT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["state"],
    "properties": {
        "id": _TEXT,
        "state": {"enum": ["pending", "registered", "duplicate", "refused"]},
        "address": _TEXT,
        "index": {**_INTEGER, "description": "Of the entry; of the first entry for a duplicate; of the refusal."},
        "proof": {"type": "string", "format": "uri-reference"},
        "errors": ERROR_ROWS,
        "halted": _TEXT,
    },
}
_RANGES: Final[dict[str, Any]] = {
    "type": "array",
    "items": {"type": "array", "items": _INTEGER, "minItems": 2, "maxItems": 2},
}
STATUS: Final = answer("What became of it.", _VERDICT)
RECEIPTS: Final = answer(
    "A page of verdicts. `next` is the cursor of the next one; `read_up_to` is how far the registrar has read.",
    {
        "type": "object",
        "required": ["receipts", "next", "read_up_to"],
        "properties": {
            "receipts": {"type": "array", "items": _VERDICT},
            "next": _INTEGER,
            "read_up_to": _INTEGER,
            "halted": _TEXT,
        },
    },
)
COMPLETENESS: Final = answer(
    "Ranges are [first, last], both included.",
    shape(
        agency=_TEXT,
        highest=_INTEGER,
        seen_count=_INTEGER,
        missing_count=_INTEGER,
        seen=_RANGES,
        missing=_RANGES,
        repeated=_RANGES,
    ),
)
PROOF: Final = answer(
    "Hashes are base64; the checkpoint is a C2SP signed note.",
    shape(
        index=_INTEGER,
        entry=_TEXT,
        leaf=_TEXT,
        size=_INTEGER,
        path={"type": "array", "items": _TEXT},
        checkpoint=_TEXT,
    ),
)
PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": _TEXT,
        "status": _INTEGER,
        "detail": _TEXT,
        "errors": ERROR_ROWS,
        "unlisted": _INTEGER,
        "outcome": {"const": "unknown"},
    },
}
_MEANINGS: Final = {
    400: "The request cannot be read.",
    401: "No valid token.",
    403: "The token does not allow this, or the agency is suspended.",
    404: "Not found.",
    408: "The body did not arrive in time; nothing was stored.",
    413: "The request, or its only event, is too large.",
    415: "The content type is not supported.",
    422: "Events have faults (each is listed), or a parameter is not valid.",
    429: "Too many requests; see Retry-After.",
    503: "Kafka or the database is away, or the gateway is busy; nothing was stored.",
    504: "The outcome is unknown: send the same events again.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems (RFC 9457) that an operation may answer with."""
    return {status: answer(_MEANINGS[status], PROBLEM_SCHEMA, CONTENT_TYPE) for status in statuses}
