"""What the OpenAPI document says of bodies and answers that FastAPI cannot see for itself."""

from __future__ import annotations

from typing import Final

import orjson

from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from events.schema_tools.refusal_examples import golden_example
from events.wire.envelope import EVENT_ID_PATTERN, SOURCE_PATTERN
from infra.http.documents import TEXT, Schema, answer, schema_of, shape
from producers.gateway.answers import Completeness, EventStatus, Receipts, StoredAnswer, Validation

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
_EVENT_EXAMPLE: Final = orjson.loads(golden_example("service.launched"))

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

RECEIPT: Final = answer(
    "Every event of the receipt is durable. The signature is Ed25519 over `urn:yesser:receipt:v1 ` and the SHA-256, in "
    "hexadecimal, of the RFC 8785 form of `receipt`.",
    schema_of(StoredAnswer),
)
VALIDATION: Final = answer(
    "The verdict on every event: new, a duplicate, or refused. `valid` where none is refused.", schema_of(Validation)
)
STATUS: Final = answer("The verdict on the event.", schema_of(EventStatus))
RECEIPTS: Final = answer(
    "A page of verdicts. `next` is the cursor of the next one; `read_up_to` is how far the registrar has read.",
    schema_of(Receipts),
)
COMPLETENESS: Final = answer(
    "Ranges are [first, last], both included. Of a month, `seen`, `missing` and `repeated` hold its numbers only."
    " A number beyond 53 bits is a text.",
    schema_of(Completeness),
)
