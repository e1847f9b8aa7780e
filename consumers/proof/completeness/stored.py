"""Compares the numbers that the registrar kept with those that the entries give, in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consumers.proof.audit.derived import Numbers, range_pairs, stored_pairs
from consumers.proof.completeness.derive import Completeness
from infra.log.authority import Difference, TableDiffers
from infra.log.reader import entry_batches
from infra.postgres.connection import connected
from infra.postgres.sql import queries
from infra.settings import Settings

_SQL: Final = queries("consumers.proof.completeness", "stored.sql")


async def compare_numbers(settings: Settings, found: Completeness) -> dict[str, list[list[int]]]:
    """Add the entries since, and compare. Raises `TableDiffers`.

    Returns agency → numbers, as inclusive ranges, of records that were read but are no entry of their own: refused
    ones, and duplicates with another number.
    """
    async with (
        connected(settings.acting_as("auditor"), "completeness", batch=True) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        size = await connection.fetchval(_SQL["size"])
        async for first, entries in entry_batches(connection, found.size, size):
            found.add(first, entries)
        rows = {row["agency"]: row for row in await connection.fetch(_SQL["sequences"])}
    require_same(found, rows)
    pairs = {agency: range_pairs(row["not_in_log"]) for agency, row in rows.items()}
    return {agency: [[start, end - 1] for start, end in own] for agency, own in sorted(pairs.items()) if own}


def require_same(found: Completeness, rows: Mapping[str, Any]) -> None:
    """Raises `TableDiffers` where the registrar's rows differ from the entries. An agency whose numbers one of the two
    no longer keeps is not compared: their limits differ, and that of the registrar is a setting."""
    numbers = found.numbers()
    kept_no_longer = found.overflowed() | {code for code, row in rows.items() if row["overflowed_index"] is not None}
    for agency in sorted((numbers.keys() | rows.keys()) - kept_no_longer):
        has = None if (row := rows.get(agency)) is None else stored_pairs(row)
        gives = numbers.get(agency, Numbers()).pairs()
        if has != gives:
            raise TableDiffers(Difference("log.sequence_state", agency, has, gives, None))
