"""The documents that the gateway answers with, as JSON: members in this order; one that is `UNSET` is left out.

Also what the OpenAPI document says of bodies and answers that FastAPI cannot see for itself.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, TypedDict

import orjson
from msgspec import UNSET, Meta, Struct, UnsetType

from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from events.schema_tools.refusal_examples import golden_example
from events.values.bilingual import Bilingual
from events.values.completeness import Status
from events.wire.envelope import EVENT_ID_PATTERN, SOURCE_PATTERN
from infra.http.documents import TEXT, Schema, answer, schema_of, shape
from infra.postgres.verdicts import PauseDocument

State = Literal["pending", "registered", "duplicate", "refused", "lost"]
CompletenessStatus = Literal["no-numbers-sent", Status]
"""`only-earlier-numbers`: all numbers of the month fill gaps of earlier ones. `not-known`: not all were kept."""

Number: TypeAlias = Annotated[int, Meta(ge=0)]
SequenceNumber: TypeAlias = Number | str
"""A text beyond 53 bits."""
Ranges: TypeAlias = list[Annotated[list[SequenceNumber], Meta(min_length=2, max_length=2)]]
Pointer: TypeAlias = Annotated[str, Meta(description="RFC 6901, into the request's body.")]
Receipt: TypeAlias = Annotated[
    orjson.Fragment,
    Meta(
        extra_json_schema=shape(
            kind=TEXT,
            agency=TEXT,
            time=TEXT,
            events={
                "type": "array",
                "items": shape(event={"type": "integer", "minimum": 0}, id=TEXT, address=TEXT, sha256=TEXT),
            },
        )
    ),
]
Paused: TypeAlias = Annotated[
    PauseDocument,
    Meta(
        description="The topic held almost only refused records, conflicts or duplicates: it is not read until then,"
        " then a record at a time.",
        extra_json_schema=shape(until={"type": "string", "format": "date-time"}, reason=shape(ar=TEXT, en=TEXT)),
    ),
]

Halted: TypeAlias = Annotated[
    str,
    Meta(description="The topic is not read until an operator has acted: events are stored, and have no verdict yet."),
]
_HALTED: Final = Bilingual(
    "لا يُقرأ الموضوع حتى يعالجه مشغّل في مكتب البرنامج: الأحداث مخزَّنة، وتأتي نتائجها بعد ذلك.",
    "The topic is not read until an operator of the office has acted: events are stored, and get their verdicts then.",
)


def halted_of(reason: str | None) -> Halted | UnsetType:
    """What an agency reads of a halt: the reason itself names offsets and an operator's commands."""
    return UNSET if reason is None else f"{_HALTED.en}\n{_HALTED.ar}"


class FaultRow(Struct, kw_only=True):
    """A fault of an event of the request. `event` is its position in a batch; the pointer refers to the body."""

    code: str
    pointer: Pointer
    detail: str
    event: Number | UnsetType = UNSET
    id: str | UnsetType = UNSET


class RefusalDocument(Struct, kw_only=True):
    """The RFC 9457 problem of refused events. `unlisted` counts the faults beyond the list."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultRow]
    unlisted: Number | UnsetType = UNSET


class DuplicateRow(Struct, kw_only=True):
    """An event that repeats one: of the log at `index`, at this `address`, or of the request at `first_event`."""

    event: Number
    id: str
    address: (
        Annotated[str, Meta(description="Of the earlier record, if this gateway accepted it recently.")] | UnsetType
    ) = UNSET
    first_event: (
        Annotated[Number, Meta(description="The position of the same event earlier in this request.")] | UnsetType
    ) = UNSET
    index: Annotated[Number, Meta(description="Of the entry with the same event.")] | UnsetType = UNSET
    proof: str | UnsetType = UNSET


class AheadRow(Struct):
    """An event of the receipt whose `time` is two days or more ahead of the gateway's. It is stored as it is."""

    event: Number
    id: str
    time: str


class StoredAnswer(Struct, kw_only=True):
    """The signed receipt of stored events, the faults of those that were not, and which are known to be repeats."""

    receipt: Receipt
    key: str
    signature: Annotated[str, Meta(extra_json_schema={"contentEncoding": "base64"})]
    refused: list[FaultRow] | UnsetType = UNSET
    unlisted: Number | UnsetType = UNSET
    duplicates: (
        Annotated[
            list[DuplicateRow],
            Meta(description="Events of the receipt that repeat an earlier one: the registrar drops them."),
        ]
        | UnsetType
    ) = UNSET
    ahead: (
        Annotated[
            list[AheadRow],
            Meta(description="Events whose `time` is two days or more ahead: accepted, but look for a wrong year."),
        ]
        | UnsetType
    ) = UNSET
    halted: Halted | UnsetType = UNSET
    paused: Paused | UnsetType = UNSET


class AcceptedRow(Struct):
    """An event that would be accepted."""

    event: Number
    id: str
    type: str


class Validation(Struct, kw_only=True):
    """The verdict that each event of a request would get."""

    valid: bool
    accepted: list[AcceptedRow]
    duplicates: list[DuplicateRow]
    errors: list[FaultRow]
    unlisted: Number | UnsetType = UNSET


class RecordFault(TypedDict):
    """A fault of a refused record, as its entry has it."""

    code: str
    pointer: Pointer
    detail: str


RecordHash: TypeAlias = Annotated[
    str, Meta(description="Of the record that was validated, to compare with the receipt's.")
]
DescribedState: TypeAlias = Annotated[
    State,
    Meta(
        description="`lost`: the record was removed from the topic, or replaced, before it was read. It has no verdict:"
        " send the event again."
    ),
]
EntryIndex: TypeAlias = Annotated[
    Number, Meta(description="Of the entry; of the first entry for a duplicate; of the refusal.")
]
ProofAddress: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "uri-reference"})]


class ReceiptRow(Struct, kw_only=True):
    """The verdict on a record. `id` and `sha256` are those of the record that was validated, as far as they are kept.

    `index` is that of its entry, of a duplicate's first entry, or of the refusal.
    """

    address: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    sha256: RecordHash | UnsetType = UNSET
    state: DescribedState
    index: EntryIndex | UnsetType = UNSET
    proof: ProofAddress | UnsetType = UNSET
    errors: list[RecordFault] | UnsetType = UNSET
    halted: Halted | UnsetType = UNSET


class AnomalyRow(Struct):
    """A rule of the contract that the event contradicts, so that it changed nothing."""

    rule: str
    detail: str
    detail_ar: str


class EventStatus(Struct, kw_only=True):
    """The same members of the verdict on an id: the address comes last, where it has one."""

    id: str
    sha256: RecordHash | UnsetType = UNSET
    state: DescribedState
    index: EntryIndex | UnsetType = UNSET
    proof: ProofAddress | UnsetType = UNSET
    errors: list[RecordFault] | UnsetType = UNSET
    halted: Halted | UnsetType = UNSET
    address: str | UnsetType = UNSET
    applied: (
        Annotated[
            bool,
            Meta(
                description="Of what is registered: whether the figures contain the entry. Until they do, it is not"
                " known whether it is an anomaly, and `anomalies` is left out."
            ),
        ]
        | UnsetType
    ) = UNSET
    anomalies: (
        Annotated[list[AnomalyRow], Meta(description="What the event contradicts; none where it took effect.")]
        | UnsetType
    ) = UNSET


class Receipts(Struct, kw_only=True):
    """A page of verdicts. `next` is the cursor of the next one; the registrar has read the topic up to `read_up_to`."""

    receipts: list[ReceiptRow]
    next: Number
    read_up_to: Number
    halted: Halted | UnsetType = UNSET
    paused: Paused | UnsetType = UNSET


class Completeness(Struct, kw_only=True):
    """Sequence numbers seen and missing, as inclusive ranges; of a month only its own numbers, `first` to `last`.

    `missing_count` is null if no numbers were sent, or only those of earlier months. If an agency's numbers were too
    scattered to keep, those read from the log index `sequences_overflowed_at` on count in `highest` only; none is said
    to be missing then, and `missing_count` is null.
    """

    agency: str
    status: Annotated[
        CompletenessStatus,
        Meta(
            description="`no-numbers-sent`: no event carried a `sequence`, so nothing can be missing."
            " `only-earlier-numbers`: all numbers of the month fill gaps of earlier months. `not-known`: not all"
            " numbers were kept one by one, so it is not known which are missing."
        ),
    ]
    highest: SequenceNumber
    sequences_overflowed_at: Annotated[
        int | None,
        Meta(
            description="From this index of the log on the numbers had too little order to be kept one by one: they"
            " count in `highest` only. `seen` and `repeated` are those before, and `missing` is empty."
        ),
    ]
    seen_count: SequenceNumber
    missing_count: Annotated[
        SequenceNumber | None,
        Meta(description="Null where no numbers were sent, or only those of earlier months, or where it is not known."),
    ]
    seen: Ranges
    missing: Ranges
    repeated: Ranges
    month: str | UnsetType = UNSET
    first: Annotated[
        SequenceNumber | UnsetType | None, Meta(description="The month's first number; null where it has none.")
    ] = UNSET
    last: Annotated[SequenceNumber | UnsetType | None, Meta(description="The month's last number.")] = UNSET


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
