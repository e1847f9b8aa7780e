"""The read models of one consumer in an SQLite file: the rows that PostgreSQL would hold, with the same hashes.

`jsonb` is stored as canonical JSON text and booleans as 0 and 1; the names of tables and columns are those of the live
ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import starmap
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from consumers.fold.consumer import Consumer
from consumers.fold.stored_keys import StoredKeys
from consumers.fold.table_hash import TableHash
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Changes, Key, Row, Table, UnitOfWork

KEYS_PER_QUERY: Final = 1_000
ROWS_PER_FETCH: Final = 4_096
_TYPES: Final = {"text": "TEXT", "bigint": "INTEGER", "boolean": "INTEGER", "bytea": "BLOB", "jsonb": "TEXT"}
_SETTINGS: Final = (
    # A file that a crash leaves behind is made again from the log.
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA cache_size = -131072",
)

_encode_lines: Final = msgspec.json.Encoder().encode_lines


class Lines(NamedTuple):
    """So many rows, one JSON object a line."""

    rows: int
    text: bytes


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

    def apply(self, entries: Sequence[Entry]) -> None:
        """Apply a batch in one transaction. What the fold decides is discarded."""
        rows = UnitOfWork()
        self.load(rows, entries)
        self.consumer.fold(rows, entries)
        self.save(rows)
        rows.folded()

    def load(self, rows: UnitOfWork, entries: Sequence[Entry]) -> None:
        """Load the rows that a batch needs."""
        for required_keys in self.consumer.required_keys(rows, entries):
            for table, keys in rows.missing(required_keys).items():
                self._load(rows, table, keys)

    def save(self, rows: UnitOfWork) -> None:
        """Save the changes of a batch in one transaction."""
        self._db.execute("BEGIN")
        for changes in rows.changes():
            self._save(changes)
        self._db.execute("COMMIT")

    def hash(self, table: Table[Any]) -> TableHash:
        """The hash of a read model, as the live one has it."""
        return hash_of(table, self.lines(table))

    def lines(self, table: Table[Any]) -> Iterator[Lines]:
        """The rows as `consumers.fold.table_hash.row_line` writes them, ordered by primary key, some at a time."""
        return canonical_lines(table, self._db.execute(canonical_query(table, _name(table))))

    def row(self, table: Table[Row], *key: Any) -> Row | None:
        """One row by its primary key."""
        columns = ", ".join(map(quoted, table.columns))
        where = " AND ".join(f"{quoted(name)} = ?" for name in table.key)
        record = self._db.execute(f"SELECT {columns} FROM {_name(table)} WHERE {where}", key).fetchone()
        return None if record is None else table.row(*_thawed(table, record))

    def rows(self, table: Table[Row]) -> list[Row]:
        """All rows of a small table, ordered by primary key."""
        return list(self.matching(table, {}))

    def matching(self, table: Table[Row], where: Mapping[str, Any]) -> Iterator[Row]:
        """The rows that have these values, ordered by primary key."""
        columns, order = (", ".join(map(quoted, names)) for names in (table.columns, table.key))
        condition = " AND ".join(["true", *(f"{quoted(name)} IS ?" for name in where)])
        sql = f"SELECT {columns} FROM {_name(table)} WHERE {condition} ORDER BY {order}"
        return _made(table, self._db.execute(sql, list(where.values())))

    def close(self) -> None:
        self._db.close()

    def _load(self, rows: UnitOfWork, table: Table[Any], keys: list[Key] | None) -> None:
        columns = ", ".join(f"t.{quoted(column)}" for column in table.columns)
        if keys is None:
            rows.adopt(table, _made(table, self._db.execute(f"SELECT {columns} FROM {_name(table)} t")), whole=True)
            return
        known = self._stored.maybe(table, keys)
        on = " AND ".join(f"t.{quoted(name)} = k.column{number}" for number, name in enumerate(table.key, 1))
        one = f"({', '.join('?' * len(table.key))})"
        for start in range(0, len(known), KEYS_PER_QUERY):
            part = known[start : start + KEYS_PER_QUERY]
            values = ", ".join([one] * len(part))
            sql = f"SELECT {columns} FROM (VALUES {values}) k CROSS JOIN {_name(table)} t ON {on}"
            rows.adopt(table, _made(table, self._db.execute(sql, [value for key in part for value in key])))

    def _save(self, changes: Changes) -> None:
        table = changes.table
        if changes.deleted:
            where = " AND ".join(f"{quoted(name)} = ?" for name in table.key)
            self._db.executemany(f"DELETE FROM {_name(table)} WHERE {where}", changes.deleted)
        places = ", ".join("?" * len(table.columns))
        replaced = changes.changed + changes.unread
        for verb, rows in (("REPLACE", replaced), ("INSERT", changes.new), ("INSERT", changes.appended)):
            if rows:
                self._db.executemany(f"{verb} INTO {_name(table)} VALUES ({places})", _frozen(table, rows))
                if not table.append_only:
                    self._stored.add(table, map(table.key_of, rows))


def canonical_query(table: Table[Any], source: str) -> str:
    """The SELECT over `source`, in SQLite or DuckDB, whose records `canonical_lines` takes, by primary key."""
    kinds = dict(zip(table.columns, table.types, strict=True))
    columns = ", ".join(_json_column(name, kinds[name]) for name in sorted(kinds))
    return f"SELECT {columns} FROM {source} ORDER BY {', '.join(map(quoted, table.key))}"


def canonical_lines(table: Table[Any], cursor: Any) -> Iterator[Lines]:
    """The records of a `canonical_query` as `consumers.fold.table_hash.row_line` writes them."""
    kinds = dict(zip(table.columns, table.types, strict=True))
    names = sorted(kinds)
    ready = [place for place, name in enumerate(names) if kinds[name] in ("jsonb", "boolean")]
    # A third of a replay were objects made and encoded one by one.
    fields = [(f"column{place}", Any) for place in range(len(names))]
    renamed = {field: name for (field, _), name in zip(fields, names, strict=True)}
    line = msgspec.defstruct("Line", fields, rename=renamed, gc=False)
    while records := cursor.fetchmany(ROWS_PER_FETCH):
        rows = map(partial(_embed, ready), records) if ready else records
        yield Lines(len(records), _encode_lines(starmap(line, rows)))


def hash_of(table: Table[Any], parts: Iterable[Lines]) -> TableHash:
    """The hash of all lines of a read model."""
    digest, count = sha256(), 0
    for part in parts:
        digest.update(part.text)
        count += part.rows
    return TableHash(table.name, count, digest.hexdigest())


def _json_column(name: str, kind: str) -> str:
    """A column's value as JSON has it: bytes in hexadecimal, `jsonb` and booleans as JSON text."""
    column = quoted(name)
    if kind == "boolean":
        return f"CASE {column} WHEN true THEN 'true' WHEN false THEN 'false' END"
    return f"CASE WHEN {column} IS NOT NULL THEN lower(hex({column})) END" if kind == "bytea" else column


def _embed(ready: Sequence[int], record: Sequence[Any]) -> list[Any]:
    """A record in which the values at these places are JSON text already."""
    values = list(record)
    for place in ready:
        if values[place] is not None:
            values[place] = msgspec.Raw(values[place])
    return values


def _name(table: Table[Any]) -> str:
    return quoted(table.name)


def quoted(name: str) -> str:
    """A name in SQL: some columns have the names of SQL's words."""
    return f'"{name}"'


def _create_sql(table: Table[Any]) -> str:
    columns = ", ".join(f"{quoted(name)} {_TYPES[kind]}" for name, kind in zip(table.columns, table.types, strict=True))
    return f"CREATE TABLE {_name(table)} ({columns}, PRIMARY KEY ({', '.join(map(quoted, table.key))})) WITHOUT ROWID"


def _frozen(table: Table[Any], rows: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    values_of = attrgetter(*table.columns)
    places = [number for number, kind in enumerate(table.types) if kind == "jsonb"]
    if not places:
        yield from map(values_of, rows)
        return
    for row in rows:
        values = list(values_of(row))
        for place in places:
            if values[place] is not None:
                values[place] = orjson.dumps(values[place], option=orjson.OPT_SORT_KEYS).decode()
        yield tuple(values)


def _thawed(table: Table[Any], record: Sequence[Any]) -> list[Any]:
    values = list(record)
    for place, kind in enumerate(table.types):
        if values[place] is None:
            continue
        if kind == "jsonb":
            values[place] = orjson.loads(values[place])
        elif kind == "boolean":
            values[place] = bool(values[place])
    return values


def _made(table: Table[Any], records: Iterable[Sequence[Any]]) -> Iterator[Any]:
    if not {"jsonb", "boolean"} & set(table.types):
        return starmap(table.row, records)
    return (table.row(*_thawed(table, record)) for record in records)
