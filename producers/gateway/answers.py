"""The documents that the gateway answers with, as JSON: members in this order; one that is `UNSET` is left out."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import orjson
from msgspec import UNSET, Struct, UnsetType

from events.values.completeness import Status
from infra.postgres.verdicts import PauseDocument

State = Literal["pending", "registered", "duplicate", "refused", "lost"]
STATES: tuple[State, ...] = get_args(State)
CompletenessStatus = Literal["no-numbers-sent", Status]
"""`only-earlier-numbers`: all numbers of the month fill gaps of earlier ones. `not-known`: not all were kept."""
COMPLETENESS_STATUSES: tuple[CompletenessStatus, ...] = get_args(CompletenessStatus)

SequenceNumber: TypeAlias = int | str
"""A text beyond 53 bits."""


class FaultRow(Struct, kw_only=True):
    """A fault of an event of the request. `event` is its position in a batch; the pointer refers to the body."""

    code: str
    pointer: str
    detail: str
    event: int | UnsetType = UNSET
    id: str | UnsetType = UNSET


class RefusalDocument(Struct, kw_only=True):
    """The RFC 9457 problem of refused events. `unlisted` counts the faults beyond the list."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultRow]
    unlisted: int | UnsetType = UNSET


class DuplicateRow(Struct, kw_only=True):
    """An event that repeats one: of the log at `index`, at this `address`, or of the request at `first_event`."""

    event: int
    id: str
    address: str | UnsetType = UNSET
    first_event: int | UnsetType = UNSET
    index: int | UnsetType = UNSET
    proof: str | UnsetType = UNSET


class StoredAnswer(Struct, kw_only=True):
    """The signed receipt of stored events, the faults of those that were not, and which are known to be repeats."""

    receipt: orjson.Fragment
    key: str
    signature: str
    refused: list[FaultRow] | UnsetType = UNSET
    unlisted: int | UnsetType = UNSET
    duplicates: list[DuplicateRow] | UnsetType = UNSET
    paused: PauseDocument | UnsetType = UNSET


class AcceptedRow(Struct):
    """An event that would be accepted."""

    event: int
    id: str
    type: str


class Validation(Struct, kw_only=True):
    """The verdict that each event of a request would get."""

    valid: bool
    accepted: list[AcceptedRow]
    duplicates: list[DuplicateRow]
    errors: list[FaultRow]
    unlisted: int | UnsetType = UNSET


class ReceiptRow(Struct, kw_only=True):
    """The verdict on a record. `id` and `sha256` are those of the record that was validated, as far as they are kept.

    `index` is that of its entry, of a duplicate's first entry, or of the refusal.
    """

    address: str | UnsetType
    id: str | UnsetType = UNSET
    sha256: str | UnsetType = UNSET
    state: State
    index: int | UnsetType = UNSET
    proof: str | UnsetType = UNSET
    errors: list[dict[str, str]] | UnsetType = UNSET
    halted: str | UnsetType = UNSET


class EventStatus(Struct, kw_only=True):
    """The same members of the verdict on an id: the address comes last, where it has one."""

    id: str
    sha256: str | UnsetType = UNSET
    state: State
    index: int | UnsetType = UNSET
    proof: str | UnsetType = UNSET
    errors: list[dict[str, str]] | UnsetType = UNSET
    halted: str | UnsetType = UNSET
    address: str | UnsetType = UNSET


class Receipts(Struct, kw_only=True):
    """A page of verdicts. `next` is the cursor of the next one; the registrar has read the topic up to `read_up_to`."""

    receipts: list[ReceiptRow]
    next: int
    read_up_to: int
    halted: str | UnsetType = UNSET
    paused: PauseDocument | UnsetType = UNSET


class Completeness(Struct, kw_only=True):
    """Sequence numbers seen and missing, as inclusive ranges; of a month only its own numbers, `first` to `last`.

    `missing_count` is null if no numbers were sent, or only those of earlier months. If an agency's numbers were too
    scattered to keep, those read from the log index `sequences_overflowed_at` on count in `highest` only; none is said
    to be missing then, and `missing_count` is null.
    """

    agency: str
    status: CompletenessStatus
    highest: SequenceNumber
    sequences_overflowed_at: int | None
    seen_count: SequenceNumber
    missing_count: SequenceNumber | None
    seen: list[list[SequenceNumber]]
    missing: list[list[SequenceNumber]]
    repeated: list[list[SequenceNumber]]
    month: str | UnsetType = UNSET
    first: SequenceNumber | UnsetType | None = UNSET
    last: SequenceNumber | UnsetType | None = UNSET
