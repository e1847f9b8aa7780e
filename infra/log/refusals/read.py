"""Reads refusals (`infra.log.refusals.documents`) from PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import convert

from events.values.bilingual import Bilingual
from events.wire.entry import parse_entry
from infra.json_documents import members
from infra.log.proofs import PROOF_PREFIX
from infra.log.reader import read_checked
from infra.log.refusals.documents import Correction, Refusal, RefusalInFull
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

SQL: Final = queries("infra.log.refusals", "read.sql")
_EVERY: Final = 2**62


async def refusals(
    connection: Connection,
    agency: str | None = None,
    below: int | None = None,
    *,
    is_open: bool = False,
    log_size: int | None = None,
    rows_max: int | None = None,
) -> list[Refusal]:
    """The newest first: of one agency or all, below an index; `is_open`: that nothing has corrected. Corrections are
    those of the first `log_size` entries."""
    chosen = (agency, _EVERY if below is None else below, is_open, _EVERY if log_size is None else log_size, rows_max)
    rows = await connection.fetch(SQL["list"], *chosen)
    return [convert({**row, "proof": f"{PROOF_PREFIX}{row['index']}"}, Refusal) for row in rows]


async def agency_names(connection: Connection, codes: Iterable[str]) -> dict[str, Bilingual]:
    """Of those that are registered."""
    rows = await connection.fetch(SQL["agency_names"], list(codes))
    return {row["code"]: Bilingual(**row["name"]) for row in rows}


async def refusal(
    connection: Connection, index: int, agency: str | None = None, log_size: int | None = None
) -> RefusalInFull | None:
    """The refusal at an index, of one agency or any; None where there is none."""
    rows = await refusals(connection, agency, index + 1, log_size=log_size, rows_max=1)
    if not rows or rows[0].index != index:
        return None
    (row,) = rows
    (raw,) = await read_checked(connection, index, 1)
    entry = parse_entry(index, raw)
    holder: int | None = await connection.fetchval(SQL["holder"], row.agency, row.claimed_id)
    was_sent_again = await connection.fetchval(SQL["was_sent_again"], index, row.accepted_index)
    corrected = row.accepted_index
    return RefusalInFull(
        **members(row),
        recorded=entry.recorded,
        sha256=entry.data.get("sha256"),
        unlisted=entry.data.get("problem", {}).get("unlisted", 0),
        accepted=None if corrected is None else Correction(corrected, "redrive" if was_sent_again else "same-id"),
        id_held_by=holder if holder is not None and holder < index else None,
    )
