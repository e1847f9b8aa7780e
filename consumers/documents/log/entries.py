"""Entries of the log: where events are, the proof of one, and refused records (events.md §5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta, Struct

from consumers.documents.document import AgencyCode, Count, EventType, Instant, Label, Listing

PAGE_ROWS_MAX: Final = 1_000
"""Most entries of a page."""
ProofLink = Annotated[str, Meta(description="Of the entry's proof.", extra_json_schema={"format": "uri-reference"})]


class Entry(Struct, frozen=True, kw_only=True):
    """Where an event is in the log. `time` is the event's own."""

    READ_FIRST: ClassVar = ("index", "type", "subject", "agency", "time")

    index: Annotated[Count, Label("القيد", "Entry")]
    id: Annotated[str, Label("معرّف الحدث", "Event id")]
    source: str
    type: Annotated[EventType, Label("نوع الحدث", "Event type", drop=1)]
    subject: Annotated[str, Label("الموضوع", "Subject", drop=3)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=2)]
    time: Annotated[Instant, Label("وقت الحدث", "Time of the event", drop=4)]
    proof: ProofLink


class Proof(Struct, frozen=True, kw_only=True):
    """An entry's bytes and what shows that they are in the log. Hashes are base64."""

    index: Count
    entry: str
    leaf: str
    size: Count
    path: tuple[str, ...]
    checkpoint: str
    rotations: str


ENTRIES: Final = Listing("قيود السجل", "Log entries", Entry)
