"""Compares the database's own catalog with what the migrations make: what hides rows, changes them, or lets others in.

Flows in: policies, triggers, functions, views, rights, owners, columns, constraints, memberships and settings, from
PostgreSQL's catalog, which every role may read; and `catalog.json`, the same listing of a freshly migrated database
(`python -m tests.catalog_listing` writes it). Flows out: what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec

from events.errors import Tampered
from infra.postgres.connection import Connection
from infra.postgres.sql import queries, read

Listing = Mapping[str, str]
"""Kind and name → definition."""
SHOWN_MAX: Final = 20
_LENGTH_MAX: Final = 300
_SQL: Final = queries("consumers.proof.database_audit", "catalog.sql")


class CatalogDiffers(Tampered):
    """The database has other objects, rights or settings than the migrations make. `differences`: what differs."""

    def __init__(self, differences: list[str]) -> None:
        self.differences = differences
        more = len(differences) - SHOWN_MAX
        lines = differences[:SHOWN_MAX] + ([f"and {more} more"] if more > 0 else [])
        super().__init__(
            "the database has other objects, rights or settings than this release's migrations make. If it is of"
            " another release, run `yesser migrate` first; else somebody changed it: keep everything as it is and see"
            ' the runbook ("A table differs from the log").\n  ' + "\n  ".join(lines)
        )


@cache
def expected() -> Listing:
    """What the migrations make."""
    return msgspec.json.decode(read("consumers.proof.database_audit", "catalog.json"), type=dict[str, str])


async def listing(connection: Connection) -> dict[str, str]:
    """What the database has, in the order of kind and name."""
    # Names are then written in full, and no object of `public` stands for one of PostgreSQL's.
    path = await connection.fetchval("SELECT pg_catalog.current_setting('search_path')")
    await connection.execute("SET search_path = pg_catalog")
    try:
        rows = await connection.fetch(_SQL["listing"])
    finally:
        await connection.execute("SELECT pg_catalog.set_config('search_path', $1, false)", path)
    return {f"{row['kind']} {row['name']}": row["definition"] for row in sorted(rows)}


async def compare_catalog(connection: Connection) -> int:
    """The number of objects compared. Raises `CatalogDiffers`."""
    objects = await listing(connection)
    if differing := differences(objects, expected()):
        raise CatalogDiffers(differing)
    return len(objects)


def differences(found: Listing, due: Listing) -> list[str]:
    """A line for each name whose definition is not the one that is due."""
    lines = []
    for name in sorted(found.keys() | due.keys()):
        if name not in due:
            lines.append(f"{name}: is there, and no migration makes it: {_short(found[name])}")
        elif name not in found:
            lines.append(f"{name}: is missing: {_short(due[name])}")
        elif found[name] != due[name]:
            lines.append(f"{name}: is {_short(found[name])}, not {_short(due[name])}")
    return lines


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LENGTH_MAX else f"{text[:_LENGTH_MAX]}…"
