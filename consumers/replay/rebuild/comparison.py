"""Compares live tables with rebuilt ones row by row: set-based, every column, and the entry of the first difference.

A read model has no history, so the diverging entry is derived from the indexes in the differing rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Table

ROWS_NAMED_MAX: Final = 20
"""Differing rows listed per table; the rest are only counted."""


Row = dict[str, Any]
"""A row of any read model as PostgreSQL writes it as JSON, or its key."""


class Difference(Struct, frozen=True):
    """A row that differs. `live` or `rebuilt` is None if that side lacks the row.

    `index` is the first entry that may have been applied differently: the one that created the row, if a side lacks it;
    the one after the live row's last, if the live row is behind; one that only one side names; else the last one that
    the live row names. None if the row names no entry.
    """

    read_model: str
    key: Row
    index: int | None
    live: Row | None
    rebuilt: Row | None

    @property
    def live_is_behind(self) -> bool:
        """Whether the live row's last entry comes before the rebuilt one's, so that it may have missed one."""
        if self.live is None or self.rebuilt is None:
            return False
        return bool((self.live.get("last_index") or 0) < (self.rebuilt.get("last_index") or 0))


@dataclass(frozen=True, slots=True)
class Differences:
    """The number of differing rows of a table, and the first of them."""

    table: str
    count: int
    first: tuple[Difference, ...]


async def compare(connection: Connection, table: Table[Any], live: str, rebuilt: str) -> Differences:
    """Compare one table in two schemas, within the caller's transaction."""
    records = await connection.fetch(comparison_sql(table, live, rebuilt))
    first = tuple(
        Difference(
            table.name,
            {name: record[f"key_{name}"] for name in table.key},
            record["diverges_at"],
            record["live"],
            record["rebuilt"],
        )
        for record in records
    )
    return Differences(table.name, records[0]["differing"] if records else 0, first)


def comparison_sql(table: Table[Any], live: str, rebuilt: str) -> str:
    """SQL for the rows on one side only or with any different column, lowest entry first."""
    key, rest = table.key, [c for c in table.columns if c not in table.key]
    joined = " AND ".join(f"a.{name} = b.{name}" for name in key)
    absent = f"(a.{key[0]} IS NULL OR b.{key[0]} IS NULL)"
    differing = f" OR ({_row('a', rest)}) IS DISTINCT FROM ({_row('b', rest)})" if rest else ""
    keys = ", ".join(f"coalesce(a.{name}, b.{name}) AS key_{name}" for name in key)
    return f"""
SELECT {keys}, {_diverges_at(table)} AS diverges_at, count(*) OVER () AS differing,
       CASE WHEN a.{key[0]} IS NOT NULL THEN to_jsonb(a) END AS live,
       CASE WHEN b.{key[0]} IS NOT NULL THEN to_jsonb(b) END AS rebuilt
FROM {live}.{table.name} a FULL JOIN {rebuilt}.{table.name} b ON {joined}
WHERE {absent}{differing}
ORDER BY diverges_at NULLS LAST, {", ".join(f"key_{name}" for name in key)}
LIMIT {ROWS_NAMED_MAX}
"""


def _row(side: str, columns: list[str]) -> str:
    return f"ROW({', '.join(f'{side}.{name}' for name in columns)})"


def index_columns(table: Table[Any]) -> list[str]:
    """The columns with log indexes."""
    return [name for name in table.columns if name == "index" or name.endswith("_index")]


def _diverges_at(table: Table[Any]) -> str:
    """SQL for `Difference.index`."""
    columns = index_columns(table)
    if not columns:
        return "NULL::bigint"
    first = table.key[0]
    either = ", ".join(f"{side}.{name}" for side in "ab" for name in columns)
    return f"CASE WHEN a.{first} IS NULL OR b.{first} IS NULL THEN least({either}) ELSE {_both_differ(columns)} END"


def _both_differ(columns: list[str]) -> str:
    """SQL for `Difference.index` of a row that both sides have."""
    named = f"greatest({', '.join(f'a.{name}' for name in columns)})"
    if "last_index" in columns:
        return f"CASE WHEN a.last_index < b.last_index THEN a.last_index + 1 ELSE {named} END"
    one_sided = (f"CASE WHEN a.{n} IS DISTINCT FROM b.{n} THEN least(a.{n}, b.{n}) END" for n in columns)
    return f"coalesce(least({', '.join(one_sided)}), {named})"
