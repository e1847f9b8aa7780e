"""The unit of work of a batch: its rows in memory, which pure folds change.

A slotted dataclass describes a `Table`: its fields are the columns, in the order of the `.sql` file that creates it.
Folds use only `get`, `put`, `delete`, `append` and `rows`. `infra.postgres.row_storage` loads and saves the rows.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

Row = TypeVar("Row")
Key = tuple[Any, ...]


class _All:
    """Requests every row of a small table."""

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
    """The PostgreSQL type of a field: `X | None` as X, `dict[...]` and `list[...]` as jsonb."""
    origin = get_origin(annotation)
    if origin in (dict, list):
        return "jsonb"
    if origin in (UnionType, Union):  # Python 3.14 has one class for both
        return _sql_type(next(part for part in get_args(annotation) if part is not NoneType))
    if annotation in _SQL_TYPES:
        return _SQL_TYPES[annotation]
    supertype = getattr(annotation, "__supertype__", None)
    if supertype is not None:
        return _sql_type(supertype)
    raise TypeError(f"no column type for {annotation!r}")


@dataclass(frozen=True, eq=False)
class Table(Generic[Row]):
    """A table and its row type. `key` names the primary key's columns; rows of `append_only` tables are never read.

    `fixed` names columns that keep the value with which the row was stored: a change does not write them.
    `since` names the column with the index of the entry that made the row: `index` or `first_index` unless it is given,
    "" where no column has it. Rows of `transient` tables are deleted again, and few at any time. A `view` has no rows
    of its own in PostgreSQL: they follow from those of other tables.
    """

    name: str
    row: type[Row]
    key: tuple[str, ...]
    append_only: bool = False
    fixed: tuple[str, ...] = ()
    since: str | None = None
    transient: bool = False
    view: bool = False

    columns: tuple[str, ...] = dataclasses.field(init=False)
    types: tuple[str, ...] = dataclasses.field(init=False)
    key_types: tuple[str, ...] = dataclasses.field(init=False)
    changing: tuple[str, ...] = dataclasses.field(init=False)
    key_of: Any = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.row)
        columns = tuple(f.name for f in dataclasses.fields(self.row))  # type: ignore[arg-type]
        types = tuple(_sql_type(hints[c]) for c in columns)
        if self.since is None:
            object.__setattr__(self, "since", next((c for c in ("index", "first_index") if c in columns), ""))
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "types", types)
        object.__setattr__(self, "key_types", tuple(types[columns.index(k)] for k in self.key))
        object.__setattr__(self, "changing", tuple(c for c in columns if c not in self.key + self.fixed))
        getter = attrgetter(*self.key)
        object.__setattr__(self, "key_of", getter if len(self.key) > 1 else lambda row: (getter(row),))

    def type_of(self, column: str) -> str:
        """The PostgreSQL type of a column."""
        return self.types[self.columns.index(column)]


_UNASKED: Final = object()


class TableRows:
    """A batch's rows of one table by key (None: known to be absent), and their changes."""

    __slots__ = ("appended", "changed", "deleted", "new", "rows", "unread", "whole")

    def __init__(self) -> None:
        self.rows: dict[Key, Any] = {}
        self.whole = False
        self.new: dict[Key, None] = {}
        self.changed: dict[Key, None] = {}
        self.unread: dict[Key, None] = {}
        self.deleted: dict[Key, None] = {}
        self.appended: list[Any] = []


@dataclass(frozen=True, slots=True)
class Changes:
    """A batch's changes of one table, to be applied in this order.

    `changed` rows are known to be stored, `new` ones known not to be; of `unread` ones neither is known.
    """

    table: Table[Any]
    deleted: list[Key]
    changed: list[Any]
    unread: list[Any]
    new: list[Any]
    appended: list[Any]


class UnitOfWork:
    """The rows of one batch. To read a row that was not requested is an error, not an absent row.

    `with_views`: the store makes the rows of views itself.
    """

    def __init__(self, *, with_views: bool = False) -> None:
        self._with_views = with_views
        self.scratch: Any = None
        """What a fold keeps from one part of the batch to the next: derived from the rows, and never stored."""
        self.tables: defaultdict[Table[Any], TableRows] = defaultdict(TableRows)

    # For folds.

    def get(self, table: Table[Row], *key: Any) -> Row | None:
        """The row of `key`, or None."""
        known = self.tables[table]
        try:
            row: Row | None = known.rows[key]
        except KeyError:
            if known.whole:
                return None
            raise KeyError(f"{table.name}{key} was not requested") from None
        return row

    def rows(self, table: Table[Row]) -> Iterator[Row]:
        """All rows of a table that was requested as `ALL`, in no order."""
        known = self.tables[table]
        if not known.whole:
            raise KeyError(f"{table.name} was not requested as a whole")
        return (row for row in known.rows.values() if row is not None)

    def put(self, table: Table[Row], row: Row) -> None:
        """Insert or replace a row; also required after a change in place."""
        self.put_row(table, table.key_of(row), row)

    def put_row(self, table: Table[Row], key: Key, row: Row) -> None:
        known = self.tables[table]
        if key not in known.new and key not in known.unread:
            before = known.rows.get(key, _UNASKED)
            if before is _UNASKED and not known.whole:
                known.unread[key] = None
            elif before is None or before is _UNASKED:
                known.new[key] = None
            else:
                known.changed[key] = None
        known.rows[key] = row

    def delete(self, table: Table[Row], *key: Any) -> None:
        known = self.tables[table]
        known.rows[key] = None
        known.changed.pop(key, None)
        known.unread.pop(key, None)
        if key in known.new:
            del known.new[key]
        else:
            known.deleted[key] = None

    def makes(self, table: Table[Any]) -> bool:
        """Whether the fold has to make the rows of this table."""
        return not (self._with_views and table.view)

    def append(self, table: Table[Row], row: Row) -> None:
        self.tables[table].appended.append(row)

    # For the shell.

    def folded(self) -> None:
        """Drop what the fold kept: it refers to these rows, and such a circle is freed by the garbage collector only,
        which stops the process for half a second once enough batches have left theirs."""
        self.scratch = None

    def missing(self, required_keys: Iterable[Need]) -> dict[Table[Any], list[Key] | None]:
        """Those of `required_keys` that are not loaded, by table; None for a whole table."""
        result: dict[Table[Any], list[Key] | None] = {}
        for table, key in required_keys:
            known = self.tables[table]
            if known.whole:
                continue
            if isinstance(key, _All):
                result[table] = None
                continue
            if key in known.rows:
                continue
            keys = result.setdefault(table, [])
            if keys is not None:
                known.rows[key] = None
                keys.append(key)
        return result

    def adopt(self, table: Table[Any], rows: Iterable[Any], *, whole: bool = False) -> None:
        """Add rows that were read from the database. Of a whole table those that are known stay: a fold may have
        changed them."""
        known = self.tables[table]
        key_of = table.key_of
        changed_rows = (
            {key: row for key, row in known.rows.items() if row is not None or key in known.deleted} if whole else {}
        )
        for row in rows:
            known.rows[key_of(row)] = row
        known.rows.update(changed_rows)
        if whole:
            known.whole = True

    def changes(self) -> Iterator[Changes]:
        for table, known in self.tables.items():
            if known.deleted or known.changed or known.unread or known.new or known.appended:
                changed, unread, new = (
                    [known.rows[key] for key in keys] for keys in (known.changed, known.unread, known.new)
                )
                yield Changes(table, list(known.deleted), changed, unread, new, known.appended)
