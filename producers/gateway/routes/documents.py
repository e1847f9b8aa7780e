"""What the OpenAPI document says of bodies and answers that FastAPI cannot see for itself."""

from __future__ import annotations

from typing import Final

from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from events.wire.envelope import EVENT_ID_PATTERN, SOURCE_PATTERN
from infra.http.documents import (
    ERROR_ROWS,
    INTEGER,
    SEQUENCE_NUMBER,
    SEQUENCE_NUMBER_OR_NULL,
    TEXT,
    Schema,
    answer,
    shape,
)
from producers.gateway.answers import COMPLETENESS_STATUSES, STATES

_ATTRIBUTES: Final[dict[str, Schema]] = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "pattern": EVENT_ID_PATTERN},
    "source": {"type": "string", "pattern": SOURCE_PATTERN},
    "type": TEXT,
    "subject": TEXT,
    "time": {"type": "string", "format": "date-time"},
    "data": {"type": "object"},
}
_EVENT: Final = shape(
    **{name: schema | {"description": ATTRIBUTE_MEANINGS[name].en} for name, schema in _ATTRIBUTES.items()}
)
_EVENT_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "launch-1",
    "source": "urn:yesser:agency:health",
    "type": "sa.gov.yesser.service.launched.v1",
    "subject": "service/appointments",
    "time": "2006-05-01T09:00:00+03:00",
    "data": {"service_id": "appointments", "on": "2006-05-01", "channels": ["web"]},
}

EVENTS_REQUEST: Final[Schema] = {
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

_PAUSED: Final[Schema] = {
    "description": "The topic held almost only refused records, conflicts or duplicates: it is not read until then,"
    " then a record at a time.",
    **shape(until={"type": "string", "format": "date-time"}, reason=shape(ar=TEXT, en=TEXT)),
}
_DUPLICATE: Final[Schema] = {
    "type": "object",
    "required": ["event", "id"],
    "properties": {
        "event": INTEGER,
        "id": TEXT,
        "address": {"type": "string", "description": "Of the earlier record, if this gateway accepted it recently."},
        "index": {**INTEGER, "description": "Of the entry with the same event."},
        "proof": TEXT,
        "first_event": {**INTEGER, "description": "The position of the same event earlier in this request."},
    },
}
RECEIPT: Final = answer(
    "Every event of the receipt is durable. The signature is Ed25519 over `urn:yesser:receipt:v1 ` and the SHA-256, in "
    "hexadecimal, of the RFC 8785 form of `receipt`.",
    {
        "type": "object",
        "required": ["receipt", "key", "signature"],
        "properties": {
            "receipt": shape(
                kind=TEXT,
                agency=TEXT,
                time=TEXT,
                events={"type": "array", "items": shape(event=INTEGER, id=TEXT, address=TEXT, sha256=TEXT)},
            ),
            "key": TEXT,
            "signature": {"type": "string", "contentEncoding": "base64"},
            "refused": ERROR_ROWS,
            "unlisted": INTEGER,
            "duplicates": {
                "type": "array",
                "description": "Events of the receipt that repeat an earlier one: the registrar drops them.",
                "items": _DUPLICATE,
            },
            "paused": _PAUSED,
        },
    },
)
VALIDATION: Final = answer(
    "The verdict on every event: new, a duplicate, or refused. `valid` where none is refused.",
    {
        "type": "object",
        "required": ["valid", "accepted", "duplicates", "errors"],
        "properties": {
            "valid": {"type": "boolean"},
            "accepted": {"type": "array", "items": shape(event=INTEGER, id=TEXT, type=TEXT)},
            "duplicates": {"type": "array", "items": _DUPLICATE},
            "errors": ERROR_ROWS,
            "unlisted": INTEGER,
        },
    },
)
_VERDICT: Final[Schema] = {
    "type": "object",
    "required": ["state"],
    "properties": {
        "id": TEXT,
        "state": {
            "enum": list(STATES),
            "description": "`lost`: the record was removed from the topic, or replaced, before it was read. It has no"
            " verdict: send the event again.",
        },
        "address": TEXT,
        "sha256": {"type": "string", "description": "Of the record that was validated, to compare with the receipt's."},
        "index": {**INTEGER, "description": "Of the entry; of the first entry for a duplicate; of the refusal."},
        "proof": {"type": "string", "format": "uri-reference"},
        "errors": ERROR_ROWS,
        "halted": TEXT,
    },
}
_RANGES: Final[Schema] = {
    "type": "array",
    "items": {"type": "array", "items": SEQUENCE_NUMBER, "minItems": 2, "maxItems": 2},
}
STATUS: Final = answer("The verdict on the event.", _VERDICT)
RECEIPTS: Final = answer(
    "A page of verdicts. `next` is the cursor of the next one; `read_up_to` is how far the registrar has read.",
    {
        "type": "object",
        "required": ["receipts", "next", "read_up_to"],
        "properties": {
            "receipts": {"type": "array", "items": _VERDICT},
            "next": INTEGER,
            "read_up_to": INTEGER,
            "halted": TEXT,
            "paused": _PAUSED,
        },
    },
)
_SEQUENCES: Final = shape(
    agency=TEXT,
    status={
        "enum": list(COMPLETENESS_STATUSES),
        "description": "`no-numbers-sent`: no event carried a `sequence`, so nothing can be missing."
        " `only-earlier-numbers`: all numbers of the month fill gaps of earlier months. `not-known`: not all numbers"
        " were kept one by one, so it is not known which are missing.",
    },
    highest=SEQUENCE_NUMBER,
    sequences_overflowed_at={
        "type": ["integer", "null"],
        "description": "From this index of the log on the numbers had too little order to be kept one by one: they"
        " count in `highest` only. `seen` and `repeated` are those before, and `missing` is empty.",
    },
    seen_count=SEQUENCE_NUMBER,
    missing_count={
        **SEQUENCE_NUMBER_OR_NULL,
        "description": "Null where no numbers were sent, or only those of earlier months, or where it is not known.",
    },
    seen=_RANGES,
    missing=_RANGES,
    repeated=_RANGES,
)
_OF_A_MONTH: Final = {
    "month": TEXT,
    "first": {**SEQUENCE_NUMBER_OR_NULL, "description": "The month's first number; null where it has none."},
    "last": {**SEQUENCE_NUMBER_OR_NULL, "description": "The month's last number."},
}
COMPLETENESS: Final = answer(
    "Ranges are [first, last], both included. Of a month, `seen`, `missing` and `repeated` hold its numbers only."
    " A number beyond 53 bits is a text.",
    {**_SEQUENCES, "properties": _SEQUENCES["properties"] | _OF_A_MONTH},
)
