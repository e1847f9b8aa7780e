"""A refused record as the log has it: its faults, and the entry that corrected it.

A correction is a record sent again for this refusal (`yesser refusals redrive`), or a later event of the same agency
with the refused record's id. An event that had the id before is not a correction.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Index = Annotated[int, Meta(ge=0)]


class Fault(Struct, frozen=True, kw_only=True):
    """Why a record was refused. The members are in the order of the database's JSON."""

    code: str
    detail: str
    pointer: str


class Refusal(Struct, frozen=True, kw_only=True):
    index: Index
    agency: str
    address: Annotated[str, Meta(description="Of the refused record: topic/partition/offset.")]
    claimed_id: str | None
    claimed_type: str | None
    errors: tuple[Fault, ...]
    accepted_index: Annotated[Index | None, Meta(description="Of the entry that corrected it.")]
    proof: Annotated[str, Meta(description="Of the entry's proof.", extra_json_schema={"format": "uri-reference"})]


class Correction(Struct, frozen=True):
    """The entry that corrected a refused record: one sent again for it, or a later event with its id."""

    index: Index
    by: Literal["redrive", "same-id"]


class RefusalInFull(Refusal, frozen=True, kw_only=True):
    """A refusal with what its entry says of the record."""

    recorded: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    sha256: Annotated[str | None, Meta(description="Of the record; null where it had personal data or no bytes.")]
    unlisted: Annotated[Index, Meta(description="How many more faults it had than `errors` lists.")]
    accepted: Correction | None
    id_held_by: Annotated[Index | None, Meta(description="The earlier entry that has its id.")]
