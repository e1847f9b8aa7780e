"""SQL for the rows of a consumer's tables as of an index.

The *base* is the state at the beginning of a block, or the live one: the live rows without those that changed since,
and what these were. A view is the base with the rows that a fold changed, which are in the table `changed_row`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from consumers.fold.consumer import Consumer
from consumers.fold.past_rows import is_kept, key_sql
from infra.postgres.row_storage import keys_sql
from infra.postgres.unit_of_work import Table


@dataclass(frozen=True, slots=True)
class Base:
    """The state of a consumer after `start` entries, to be folded up to `end`; the live rows are at `position`.

    `with_past` names the tables that have past rows.
    """

    consumer: Consumer
    position: int
    start: int
    end: int
    with_past: frozenset[str]

    @property
    def is_complete(self) -> bool:
        """Whether the live tables have all rows of `end`, so that rows that never change can be read from them."""
        return self.position >= self.end

    def live(self, table: Table[Any]) -> str:
        return f"{self.consumer.schema}.{table.name}"


def is_shown(table: Table[Any]) -> bool:
    """Whether there is a view of it: of what waited at a time, nothing is read."""
    return not table.transient


def base_sql(base: Base, table: Table[Any], *, whole: bool) -> str:
    """SQL for the rows of some keys, given as one array per key column, or of the whole table, at the base."""
    live = base.live(table)
    if table.transient and whole:
        return " UNION ALL ".join(_parts(base, table, f"{live} t", "", "", "t"))
    if whole:
        return " UNION ALL ".join(_parts(base, table, f"{live} t", f"{live} k", "", "t"))
    keys, on = keys_sql(table), " AND ".join(f"t.{name} = k.{name}" for name in table.key)
    return " UNION ALL ".join(_parts(base, table, f"{keys} JOIN {live} t ON {on}", keys, "", "k"))


def view_sql(base: Base, table: Table[Any], schema: str, *, is_changed: bool) -> str:
    """SQL for all rows at the end. `is_changed`: the table `changed_row` of `schema` has rows of this table."""
    live = base.live(table)
    if is_kept(table):
        changed = f"(SELECT key FROM {schema}.changed_row WHERE name = '{table.name}')"
        left = f" AND {key_sql(table, 't')} NOT IN {changed}" if is_changed else ""
        left_past = f" AND {key_sql(table, 'k')} NOT IN {changed}" if is_changed else ""
        parts = _parts(base, table, f"{live} t", f"{live} k", left, "t", left_past)
    else:
        before = base.end if base.is_complete else base.start
        parts = [f"SELECT {_columns(table, 't')} FROM {live} t WHERE t.{table.since} < {before}"]
    if is_changed:
        rows = f"(SELECT row FROM {schema}.changed_row WHERE name = '{table.name}') p"
        parts.append(f"SELECT {_columns(table, 'r')} FROM {rows} CROSS JOIN LATERAL {_made(base, table)}")
    return " UNION ALL ".join(parts)


def _parts(
    base: Base, table: Table[Any], live: str, keys: str, left: str, alias: str, left_past: str = ""
) -> list[str]:
    """The rows of `live` (`t`) that have not changed since the base; what the others were, by their keys `k` or all."""
    sql = f"SELECT {_columns(table, 't')} FROM {live} WHERE {_since(base, table, 't')}{left}"
    if table.name not in base.with_past:
        return [sql]
    # A look-up for each key, whose cost does not depend on how much is kept: the limit keeps it one.
    changed = _past(base, table, alias, "true", "")
    was = f"{keys} CROSS JOIN LATERAL ({_past(base, table, 'k', 'p.row', ' ORDER BY p.until')}) p"
    past = (
        f"SELECT {_columns(table, 'r')} FROM {was if keys else _first_copies(base, table)}"
        f" CROSS JOIN LATERAL {_made(base, table)} WHERE p.row IS NOT NULL AND {_since(base, table, 'r')}{left_past}"
    )
    return [f"{sql} AND ({changed}) IS NULL", past]


def _columns(table: Table[Any], alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in table.columns)


def _since(base: Base, table: Table[Any], alias: str) -> str:
    """SQL: the row was there at the base, as far as its columns tell."""
    if not base.start:
        return "false"
    return f"{alias}.{table.since} < {base.start}" if table.since else "true"


def _past(base: Base, table: Table[Any], alias: str, result: str, order: str) -> str:
    """SQL for the first copy of the row of a key since the base."""
    return (
        f"SELECT {result} FROM {base.consumer.schema}.past_row p WHERE p.name = '{table.name}'"
        f" AND p.key = {key_sql(table, alias)} AND p.until >= {base.start}{order} LIMIT 1"
    )


def _first_copies(base: Base, table: Table[Any]) -> str:
    """SQL for the first copies since the base of all rows, also of those that were deleted since."""
    return (
        f"(SELECT DISTINCT ON (key) row FROM {base.consumer.schema}.past_row"
        f" WHERE name = '{table.name}' AND until >= {base.start} ORDER BY key, until) p"
    )


def _made(base: Base, table: Table[Any]) -> str:
    """SQL that makes a row `r` of the JSON in `p`."""
    return f"jsonb_populate_record(NULL::{base.live(table)}, p.row::jsonb) r"
