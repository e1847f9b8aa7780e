"""Refused records: their faults, the bytes kept of them, and the entry that corrected them.

A correction is either a record sent again for this refusal (`yesser refusals redrive`), or a later accepted event of
the same agency with the refused record's id. An event that had the id before is not a correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, cast

from events.validation.verdicts import HASH_BYTES, Agency
from events.values.fields import Role
from events.wire.entry import parse_entry
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from producers.refusals.documents import (
    Correction,
    NoSuchRefusal,
    Redrive,
    RefusalDocument,
    RefusalRow,
    in_both_languages,
)

SQL: Final = queries("producers.refusals", "read.sql")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of `log.refusal`. `is_kept`: `value` and `headers` are the original record."""

    index: int
    agency: Agency
    address: str
    claimed_id: str | None
    claimed_type: str | None
    errors: list[dict[str, str]]
    is_kept: bool
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


async def refusal_rows(
    connection: Connection, agency: str | None, before: int | None, *, only_open: bool = False
) -> list[RefusalRow]:
    """The refusals in log order, of one agency or all, below the index `before`; `only_open`: not yet corrected."""
    return [RefusalRow(*row) for row in await connection.fetch(SQL["list"], agency, before, only_open)]


async def read_refusal(connection: Connection, index: int) -> Refusal:
    """The refusal at this index. Raises `NoSuchRefusal`."""
    row = await connection.fetchrow(SQL["one"], index)
    if row is None:
        raise NoSuchRefusal(f"entry {index} is not a refusal: see `yesser refusals list`")
    return Refusal(
        index=row["index"],
        agency=Agency(row["agency"], cast(Role, row["role"] or "agency")),
        address=row["address"],
        claimed_id=row["claimed_id"],
        claimed_type=row["claimed_type"],
        errors=row["errors"],
        is_kept=row["is_kept"],
        value=row["value"],
        headers=headers_of(row["headers"] or []),
    )


def headers_of(stored: Sequence[tuple[str, str | None]]) -> list[tuple[str, bytes | None]]:
    """The headers of a record as they came. Entries of earlier releases hold a null value as an empty one."""
    return [(name, None if value is None else bytes.fromhex(value)) for name, value in stored]


async def shown(connection: Connection, index: int) -> RefusalDocument:
    """A refusal with all that is known of it. Raises `NoSuchRefusal`."""
    refusal = await read_refusal(connection, index)
    (raw,) = await read_checked(connection, index, 1)
    entry = parse_entry(index, raw)
    redrives = [
        Redrive(row["event_id"], row["sent_at"].isoformat(), row["accepted_index"])
        for row in await connection.fetch(SQL["redrives"], index)
    ]
    holder = await _holder(connection, refusal)
    return RefusalDocument(
        index=index,
        recorded=entry.recorded,
        agency=refusal.agency.code,
        address=refusal.address,
        sha256=entry.data.get("sha256"),
        claimed_id=refusal.claimed_id,
        claimed_type=refusal.claimed_type,
        errors=in_both_languages(refusal.errors),
        unlisted=entry.data["problem"].get("unlisted", 0),
        kept=refusal.is_kept,
        headers={name: None if value is None else value.decode("utf-8", "replace") for name, value in refusal.headers},
        redrives=redrives,
        accepted=accepted_as(index, redrives, holder),
        id_held_by=holder if holder is not None and holder < index else None,
    )


def accepted_as(index: int, redrives: Sequence[Redrive], holder: int | None) -> Correction | None:
    """The correcting entry. `holder` is the entry with the refused record's id."""
    sent = [redrive.accepted_index for redrive in redrives if redrive.accepted_index is not None]
    if sent:
        return Correction(sent[-1], "redrive")
    return Correction(holder, "same-id") if holder is not None and holder > index else None


async def _holder(connection: Connection, refusal: Refusal) -> int | None:
    if refusal.claimed_id is None:
        return None
    claim = sha256(refusal.agency.claim_prefix + refusal.claimed_id.encode()).digest()[:HASH_BYTES]
    index: int | None = await connection.fetchval(SQL["holder"], claim)
    return index
