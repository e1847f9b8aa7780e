"""SQL for the rows of a consumer's tables as of an index.

The *base* is the state at the beginning of a block, or the live one: the live rows without those that changed since,
and what these were. A view is the base with the rows that a fold changed, which are in the table `changed_row`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import copied_columns, is_kept, key_sql, span_end
from consumers.replay.fold.replay import SESSION
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
    if table.transient and table.name in base.with_past:
        return _rows_that_may_be_gone(base, table, whole=whole)
    if whole:
        return _rows(base, table, f"{base.live(table)} t", "")
    return _rows(base, table, f"{keys_sql(table)} JOIN {base.live(table)} t ON {_same_key(table)}", "")


def view_sql(base: Base, table: Table[Any], *, is_changed: bool) -> str:
    """SQL for all rows at the end. `is_changed`: the session's table `changed_row` has rows of this table."""
    live = base.live(table)
    if is_kept(table):
        changed = f"(SELECT key FROM {SESSION}.changed_row WHERE name = '{table.name}')"
        left = f" AND {key_sql(table, 't')} NOT IN {changed}" if is_changed else ""
        parts = [_rows(base, table, f"{live} t", left)]
    else:
        before = base.end if base.is_complete else base.start
        parts = [f"SELECT {_columns(table, 't')} FROM {live} t WHERE t.{table.since} < {before}"]
    if is_changed:
        rows = f"(SELECT row FROM {SESSION}.changed_row WHERE name = '{table.name}') p"
        made = f"jsonb_populate_record(NULL::{live}, p.row::jsonb) r"
        parts.append(f"SELECT {_columns(table, 'r')} FROM {rows} CROSS JOIN LATERAL {made}")
    return " UNION ALL ".join(parts)


def _rows(base: Base, table: Table[Any], live: str, left: str) -> str:
    """The rows of `live` (`t`) at the base: what the first copy since then has, and the rest of the row itself.

    The first copy is that of the base's span, which has few blocks. A look-up for each key finds that of a later span,
    so that the cost does not depend on how much is kept: the limit keeps it one.
    """
    if table.name not in base.with_past:
        return f"SELECT {_columns(table, 't')} FROM {live} WHERE {_since(base, table, 't')}{left}"
    key = key_sql(table, "t")
    was = {name: _copied(table, name, number) for number, name in enumerate(copied_columns(table))}
    columns = (
        f"CASE WHEN p.found THEN {was[c]} ELSE t.{c} END AS {c}" if c in was else f"t.{c}" for c in table.columns
    )
    return (
        f"SELECT {_columns(table, 'r')} FROM (SELECT {', '.join(columns)} FROM {live}"
        f" LEFT JOIN ({_first_copies(_block_copies(base, table))}) b ON b.key = {key}"
        f" LEFT JOIN LATERAL (SELECT s.key, s.row FROM {base.consumer.schema}.past_span s"
        f" WHERE s.name = '{table.name}' AND s.key = {key} AND s.until >= {span_end(base.start)}"
        f" ORDER BY s.until LIMIT 1) s ON b.key IS NULL"
        f" CROSS JOIN LATERAL (SELECT coalesce(b.key, s.key) IS NOT NULL AS found,"
        f" coalesce(b.row, s.row)::jsonb AS row OFFSET 0) p"
        f" WHERE (p.row IS NOT NULL OR NOT p.found){left}) r WHERE {_since(base, table, 'r')}"
    )


def _rows_that_may_be_gone(base: Base, table: Table[Any], *, whole: bool) -> str:
    """The rows at the base of a transient table, whose copies are whole: few rows, so all copies are read."""
    keys = "" if whole else keys_sql(table)
    spans = (
        f"SELECT s.key, s.row, s.until, 0::bigint AS part FROM {base.consumer.schema}.past_span s"
        f" WHERE s.name = '{table.name}' AND s.until >= {span_end(base.start)}"
    )
    copies = _first_copies(f"{_block_copies(base, table)} UNION ALL {spans}")
    live = f"{base.live(table)} t" if whole else f"{keys} JOIN {base.live(table)} t ON {_same_key(table)}"
    columns = (f"{_copied(table, name, number)} AS {name}" for number, name in enumerate(copied_columns(table)))
    chosen = f"({copies}) c" if whole else f"{keys} JOIN ({copies}) c ON c.key = {key_sql(table, 'k')}"
    return (
        f"SELECT {_columns(table, 't')} FROM {live} WHERE {_since(base, table, 't')}"
        f" AND {key_sql(table, 't')} NOT IN (SELECT key FROM ({copies}) c)"
        f" UNION ALL SELECT {_columns(table, 'r')} FROM (SELECT {', '.join(columns)} FROM"
        f" (SELECT c.row::jsonb AS row FROM {chosen} WHERE c.row IS NOT NULL OFFSET 0) p) r"
        f" WHERE {_since(base, table, 'r')}"
    )


def _same_key(table: Table[Any]) -> str:
    return " AND ".join(f"t.{name} = k.{name}" for name in table.key)


def _columns(table: Table[Any], alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in table.columns)


def _since(base: Base, table: Table[Any], alias: str) -> str:
    """SQL: the row was there at the base, as far as its columns tell."""
    if not base.start:
        return "false"
    return f"{alias}.{table.since} < {base.start}" if table.since else "true"


def _copied(table: Table[Any], column: str, number: int) -> str:
    """SQL for a column of the copy `p`."""
    kind = table.type_of(column)
    return f"nullif(p.row -> {number}, 'null')" if kind == "jsonb" else f"(p.row ->> {number})::{kind}"


def _block_copies(base: Base, table: Table[Any]) -> str:
    """SQL for the copies from the base to the end of its span."""
    return (
        f"SELECT c.key, c.row, b.until, b.part"
        f" FROM {base.consumer.schema}.past_block b, unnest(b.keys, b.rows) AS c (key, row)"
        f" WHERE b.name = '{table.name}' AND b.until >= {base.start} AND b.until < {span_end(base.start)}"
    )


def _first_copies(copies: str) -> str:
    """SQL for the first of `copies` of each key, also of rows that were deleted since."""
    return f"SELECT DISTINCT ON (key) key, row FROM ({copies}) c ORDER BY key, until, part"
