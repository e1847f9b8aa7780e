"""The read models of one consumer in an SQLite file: the rows that PostgreSQL would hold, with the same hashes.

`jsonb` is stored as canonical JSON text and booleans as 0 and 1; the names of tables and columns are those of the live
ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import starmap
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import orjson

from consumers.replay.fold.apply import StoredKeys, apply
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.table_hash import TableHash, converted, fetched, hash_of
from events.wire.codec import canonical_event_bytes
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Changes, Key, Row, Table, UnitOfWork

KEYS_PER_QUERY: Final = 1_000
_TYPES: Final = {"text": "TEXT", "bigint": "INTEGER", "boolean": "INTEGER", "bytea": "BLOB", "jsonb": "TEXT"}
_SETTINGS: Final = (
    # A file that a crash leaves behind is made again from the log.
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA cache_size = -131072",
)


class SqliteStore:
    """A new file at `path` with the tables of the consumer."""

    def __init__(self, path: Path, consumer: Consumer) -> None:
        path.unlink(missing_ok=True)
        self.consumer = consumer
        self._db = sqlite3.connect(path, isolation_level=None)
        self._stored = StoredKeys()
        for setting in _SETTINGS:
            self._db.execute(setting)
        for table in consumer.tables:
            self._db.execute(_create_sql(table))

    async def apply(self, entries: Sequence[Entry]) -> None:
        """Apply a batch in one transaction. What the fold decides is discarded."""
        await apply(self, self.consumer, entries)

    def begin(self) -> UnitOfWork:
        return UnitOfWork()

    async def read(self, table: Table[Row], keys: list[Key] | None) -> Iterable[Row]:
        select = f"SELECT {', '.join(f't.{quoted(column)}' for column in table.columns)} FROM"
        if keys is None:
            return _rows(table, self._db.execute(f"{select} {quoted(table.name)} t"))
        known = self._stored.maybe(table, keys)
        on = " AND ".join(f"t.{quoted(name)} = k.column{number}" for number, name in enumerate(table.key, 1))
        one = f"({', '.join('?' * len(table.key))})"
        rows: list[Row] = []
        for start in range(0, len(known), KEYS_PER_QUERY):
            part = known[start : start + KEYS_PER_QUERY]
            sql = f"{select} (VALUES {', '.join([one] * len(part))}) k CROSS JOIN {quoted(table.name)} t ON {on}"
            rows += _rows(table, self._db.execute(sql, [value for key in part for value in key]))
        return rows

    async def write(self, rows: UnitOfWork) -> None:
        self._db.execute("BEGIN")
        for changes in rows.changes():
            self._save(changes)
        self._db.execute("COMMIT")
        self._stored.note(rows)

    def hash(self, table: Table[Any]) -> TableHash:
        """The hash of a read model, as the live one has it."""
        return hash_of(table, self.parts(table))

    def parts(self, table: Table[Any]) -> Iterator[Sequence[Any]]:
        """All rows as `RowHasher` takes them, by primary key, some at a time."""
        return fetched(self._db.execute(hashed_rows_sql(table, quoted(table.name))))

    def row(self, table: Table[Row], *key: Any) -> Row | None:
        """One row by its primary key."""
        return next(self.matching(table, dict(zip(table.key, key, strict=True))), None)

    def matching(self, table: Table[Row], where: Mapping[str, Any]) -> Iterator[Row]:
        """The rows that have these values, ordered by primary key."""
        columns, order = (", ".join(map(quoted, names)) for names in (table.columns, table.key))
        condition = " AND ".join(["true", *(f"{quoted(name)} IS ?" for name in where)])
        sql = f"SELECT {columns} FROM {quoted(table.name)} WHERE {condition} ORDER BY {order}"
        return _rows(table, self._db.execute(sql, list(where.values())))

    def close(self) -> None:
        self._db.close()

    def _save(self, changes: Changes) -> None:
        table = changes.table
        if changes.deleted:
            where = " AND ".join(f"{quoted(name)} = ?" for name in table.key)
            self._db.executemany(f"DELETE FROM {quoted(table.name)} WHERE {where}", changes.deleted)
        places = ", ".join("?" * len(table.columns))
        replaced = changes.changed + changes.unread
        for verb, rows in (("REPLACE", replaced), ("INSERT", changes.new), ("INSERT", changes.appended)):
            if rows:
                self._db.executemany(f"{verb} INTO {quoted(table.name)} VALUES ({places})", _values(table, rows))


def hashed_rows_sql(table: Table[Any], source: str) -> str:
    """SQL for all rows of `source`, in SQLite or DuckDB, as `RowHasher` takes them, by primary key."""
    columns, order = (", ".join(map(quoted, names)) for names in (sorted(table.columns), table.key))
    return f"SELECT {columns} FROM {source} ORDER BY {order}"


def quoted(name: str) -> str:
    """A name in SQL: some columns have the names of SQL's words."""
    return f'"{name}"'


def _create_sql(table: Table[Any]) -> str:
    columns = ", ".join(f"{quoted(name)} {_TYPES[kind]}" for name, kind in zip(table.columns, table.types, strict=True))
    key = ", ".join(map(quoted, table.key))
    return f"CREATE TABLE {quoted(table.name)} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID"


def _values(table: Table[Any], rows: Iterable[Any]) -> Iterator[Sequence[Any]]:
    """Rows as they are stored."""
    return converted(table.types, map(attrgetter(*table.columns), rows), {"jsonb": _json_text})


def _rows(table: Table[Row], records: Iterable[Sequence[Any]]) -> Iterator[Row]:
    """Stored records as rows."""
    return starmap(table.row, converted(table.types, records, {"jsonb": orjson.loads, "boolean": bool}))


def _json_text(value: Any) -> str:
    return canonical_event_bytes(value).decode()
