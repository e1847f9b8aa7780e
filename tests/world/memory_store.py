"""Runs a consumer without a database: the same needs, rounds and folds over rows kept in dictionaries.

Rows are copied through JSON on their way in and out, as a database would, so that a fold which forgets to `put` a row
that it changed is found out, and so is one that reads a row it never asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar

import orjson

from consumers.replay.fold.consumer import Consumer
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import Changes, Key, Table, UnitOfWork

Row = TypeVar("Row")


class MemoryStore:
    """The tables of one consumer."""

    def __init__(self) -> None:
        self._tables: defaultdict[Table[Any], dict[Key, tuple[Any, ...]]] = defaultdict(dict)

    def apply(self, consumer: Consumer, entries: Sequence[Entry]) -> list[OutboxEvent]:
        """Apply one batch; what the fold decided."""
        ws = UnitOfWork()
        for required_keys in consumer.required_keys(ws, entries):
            self.load(ws, ws.missing(required_keys))
        decided = consumer.fold(ws, entries)
        for changes in ws.changes():
            self._save(changes)
        return decided

    def rows(self, table: Table[Row]) -> list[Row]:
        """All rows, ordered by primary key (those of append-only tables too)."""
        stored = self._tables[table]
        return [_thaw(table, stored[key]) for key in sorted(stored)]

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every non-empty table by name, ordered by primary key: for comparing two stores."""
        return {t.name: [rows[k] for k in sorted(rows)] for t, rows in self._tables.items() if rows}

    def load(self, ws: UnitOfWork, missing: dict[Table[Any], list[Key] | None]) -> None:
        for table, keys in missing.items():
            stored = self._tables[table]
            found = stored.values() if keys is None else [stored[key] for key in keys if key in stored]
            ws.adopt(table, (_thaw(table, row) for row in found), whole=keys is None)

    def _save(self, changes: Changes) -> None:
        table, stored = changes.table, self._tables[changes.table]
        for key in changes.deleted:
            stored.pop(key, None)
        for row in changes.changed:
            before, after = stored[table.key_of(row)], _freeze(table, row)
            for name, old, new in zip(table.columns, before, after, strict=True):
                assert old == new or name in table.changing, f"{table.name}.{name} is fixed"
            stored[table.key_of(row)] = after
        for row in changes.unread:
            stored[table.key_of(row)] = _freeze(table, row)
        for row in [*changes.new, *changes.appended]:
            key = table.key_of(row)
            assert key not in stored, f"{table.name}{key} is stored already"
            stored[key] = _freeze(table, row)


def _freeze(table: Table[Any], row: Any) -> tuple[Any, ...]:
    return tuple(
        orjson.dumps(value) if kind == "jsonb" and value is not None else value
        for kind, value in zip(table.types, (getattr(row, c) for c in table.columns), strict=True)
    )


def _thaw(table: Table[Row], stored: tuple[Any, ...]) -> Row:
    values = (
        orjson.loads(value) if kind == "jsonb" and value is not None else value
        for kind, value in zip(table.types, stored, strict=True)
    )
    return table.row(*values)
