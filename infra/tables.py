"""The rows that a batch needs: loaded set-based, changed in memory by pure folds, written set-based.

A `Table` is described by a slotted dataclass whose fields are the columns, in the order of the `.sql` file that
creates it. A `WorkingSet` holds what a batch asked for; folds see only `get`, `put`, `delete`, `append` and `rows`.
Tables are named without a schema: `search_path` decides whether they are the live ones or those of a rebuild.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, get_type_hints

from infra.postgres import Connection

Row = TypeVar("Row")
Key = tuple[Any, ...]


class _All:
    """Asks for every row of a small table."""

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = _All()
Need = tuple["Table[Any]", Key | _All]

_SQL_TYPES: Final[dict[Any, str]] = {
    str: "text",
    int: "bigint",
    bool: "boolean",
    bytes: "bytea",
    dict: "jsonb",
    list: "jsonb",
}


def _sql_type(annotation: Any) -> str:
    """PostgreSQL type of a field: `X | None` is as X, `dict[...]` and `list[...]` are jsonb."""
    arguments = [a for a in getattr(annotation, "__args__", ()) if a is not type(None)]
    origin = getattr(annotation, "__origin__", None)
    if origin in (dict, list):
        return "jsonb"
    if arguments and origin is None:
        return _sql_type(arguments[0])
    if annotation in _SQL_TYPES:
        return _SQL_TYPES[annotation]
    supertype = getattr(annotation, "__supertype__", None)
    if supertype is not None:
        return _sql_type(supertype)
    raise TypeError(f"no column type for {annotation!r}")


@dataclass(frozen=True, eq=False)
class Table(Generic[Row]):
    """A table and its row type. `key` names the primary key's columns; rows of `append_only` are never read back."""

    name: str
    row: type[Row]
    key: tuple[str, ...]
    append_only: bool = False

    columns: tuple[str, ...] = dataclasses.field(init=False)
    types: tuple[str, ...] = dataclasses.field(init=False)
    key_types: tuple[str, ...] = dataclasses.field(init=False)
    key_of: Any = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.row)
        columns = tuple(f.name for f in dataclasses.fields(self.row))  # type: ignore[arg-type]
        types = tuple(_sql_type(hints[c]) for c in columns)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "types", types)
        object.__setattr__(self, "key_types", tuple(types[columns.index(k)] for k in self.key))
        getter = attrgetter(*self.key)
        object.__setattr__(self, "key_of", getter if len(self.key) > 1 else lambda row: (getter(row),))

    def load_sql(self) -> str:
        """Rows of the keys given as one array per key column."""
        arrays = ", ".join(f"${i}::{t}[]" for i, t in enumerate(self.key_types, 1))
        on = " AND ".join(f"t.{k} = k.{k}" for k in self.key)
        columns = ", ".join(f"t.{c}" for c in self.columns)
        return f"SELECT {columns} FROM unnest({arrays}) AS k({', '.join(self.key)}) JOIN {self.name} t ON {on}"

    def load_all_sql(self) -> str:
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"

    def save_sql(self) -> str:
        """Insert or replace rows given as one array per column."""
        arrays = ", ".join(f"${i}::{t}[]" for i, t in enumerate(self.types, 1))
        columns = ", ".join(self.columns)
        rest = [c for c in self.columns if c not in self.key]
        update = ", ".join(f"{c} = excluded.{c}" for c in rest)
        conflict = f"ON CONFLICT ({', '.join(self.key)}) DO " + (f"UPDATE SET {update}" if rest else "NOTHING")
        return f"INSERT INTO {self.name} ({columns}) SELECT * FROM unnest({arrays}) {conflict}"

    def delete_sql(self) -> str:
        arrays = ", ".join(f"${i}::{t}[]" for i, t in enumerate(self.key_types, 1))
        on = " AND ".join(f"t.{k} = k.{k}" for k in self.key)
        return f"DELETE FROM {self.name} t USING unnest({arrays}) AS k({', '.join(self.key)}) WHERE {on}"


class WorkingSet:
    """The rows of one batch. A row that was not asked for is a programming error, not an absent row."""

    def __init__(self) -> None:
        self._rows: dict[Table[Any], dict[Key, Any]] = {}
        self._whole: set[Table[Any]] = set()
        self._dirty: dict[Table[Any], dict[Key, None]] = {}
        self._deleted: dict[Table[Any], dict[Key, None]] = {}
        self._appended: dict[Table[Any], list[Any]] = {}

    # What folds see.

    def get(self, table: Table[Row], *key: Any) -> Row | None:
        """The row of `key`, or None where there is none."""
        row: Row | None = self._rows[table].get(key)
        if row is None and table not in self._whole and key not in self._rows[table]:
            raise KeyError(f"{table.name}{key} was not asked for")
        return row

    def rows(self, table: Table[Row]) -> Iterator[Row]:
        """All present rows of a table that was asked for as `ALL`, in no particular order."""
        if table not in self._whole:
            raise KeyError(f"{table.name} was not asked for as a whole")
        return (row for row in self._rows[table].values() if row is not None)

    def put(self, table: Table[Row], row: Row) -> None:
        """Insert or replace; also to be called after a row was changed in place."""
        key = table.key_of(row)
        self._rows.setdefault(table, {})[key] = row
        self._dirty.setdefault(table, {})[key] = None
        deleted = self._deleted.get(table)
        if deleted:
            deleted.pop(key, None)

    def delete(self, table: Table[Row], *key: Any) -> None:
        self._rows.setdefault(table, {})[key] = None
        self._dirty.get(table, {}).pop(key, None)
        self._deleted.setdefault(table, {})[key] = None

    def append(self, table: Table[Row], row: Row) -> None:
        """Add a row to an append-only table."""
        self._appended.setdefault(table, []).append(row)

    # What the shell does.

    def missing(self, needs: Iterable[Need]) -> dict[Table[Any], list[Key] | None]:
        """Which of `needs` are not here yet, by table; None for a whole table."""
        result: dict[Table[Any], list[Key] | None] = {}
        for table, key in needs:
            if table in self._whole:
                continue
            if isinstance(key, _All):
                result[table] = None
                continue
            known = self._rows.setdefault(table, {})
            if key in known:
                continue
            keys = result.setdefault(table, [])
            if keys is not None:
                known[key] = None
                keys.append(key)
        return result

    def adopt(self, table: Table[Any], rows: Iterable[Any], *, whole: bool = False) -> None:
        """Take over rows as they stand in the database."""
        known = self._rows.setdefault(table, {})
        for row in rows:
            known[table.key_of(row)] = row
        if whole:
            self._whole.add(table)

    async def load(self, connection: Connection, needs: Iterable[Need]) -> None:
        """Read what is missing: one statement per table."""
        for table, keys in self.missing(needs).items():
            if keys is None:
                records = await connection.fetch(table.load_all_sql())
            else:
                records = await connection.fetch(table.load_sql(), *map(list, zip(*keys, strict=True)))
            make = table.row
            self.adopt(table, (make(*record) for record in records), whole=keys is None)

    async def save(self, connection: Connection) -> None:
        """Write what changed: one statement per table and kind of change."""
        for table, deleted in self._deleted.items():
            if deleted:
                await connection.execute(table.delete_sql(), *map(list, zip(*deleted, strict=True)))
        for table, dirty in self._dirty.items():
            if dirty:
                rows = self._rows[table]
                fields = [map(attrgetter(c), map(rows.__getitem__, dirty)) for c in table.columns]
                await connection.execute(table.save_sql(), *map(list, fields))
        for table, appended in self._appended.items():
            await connection.copy_records_to_table(
                table.name,
                records=map(attrgetter(*table.columns), appended),
                columns=list(table.columns),
            )
