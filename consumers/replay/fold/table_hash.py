"""The hash of a read model: SHA-256 over its rows as RFC 8785 objects, one per line, ordered by primary key.

All names are ASCII (validation refuses others), so they sort as bytes. Text is ordered by its UTF-8 bytes, so that
every machine agrees. Bytes are hexadecimal. Rows of PostgreSQL, SQLite and Parquet are hashed by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import starmap
from typing import Any, Final

import msgspec

from events.wire.codec import canonical_event_bytes
from infra.postgres.unit_of_work import Table

FETCH_ROWS: Final = 4_096
Converters = Mapping[str, Callable[[Any], Any]]
"""By the type of a column."""
_encode_lines: Final = msgspec.json.Encoder().encode_lines


@dataclass(frozen=True, slots=True)
class TableHash:
    """The hash and the number of rows of one read model."""

    name: str
    rows: int
    sha256: str


class RowHasher:
    """Hashes rows as they come, by primary key. A row has the values of the columns by name.

    `json_of` gives the JSON of a `jsonb` value as the source has it: `canonical_json` of what PostgreSQL decoded,
    `msgspec.Raw` of canonical text. Never by the value's type: a text in the place of an object would hash like it.
    """

    def __init__(self, table: Table[Any], json_of: Callable[[Any], msgspec.Raw]) -> None:
        kinds = dict(zip(table.columns, table.types, strict=True))
        names = sorted(kinds)
        self.table = table
        self._kinds = [kinds[name] for name in names]
        # SQLite has 0 and 1 for booleans.
        self._converters: Converters = {"boolean": bool, "bytea": bytes.hex, "jsonb": json_of}
        # One object a row that msgspec encodes: a third of a replay were objects made and encoded one by one.
        fields = [(f"column{place}", Any) for place in range(len(names))]
        renamed = {field: name for (field, _), name in zip(fields, names, strict=True)}
        self._line = msgspec.defstruct("Line", fields, rename=renamed, gc=False)
        self._digest = sha256()
        self._rows = 0

    def lines(self, records: Iterable[Any]) -> bytes:
        """The rows, one JSON object a line."""
        return _encode_lines(starmap(self._line, converted(self._kinds, records, self._converters)))

    def add(self, records: Sequence[Any]) -> None:
        self._digest.update(self.lines(records))
        self._rows += len(records)

    def hash(self) -> TableHash:
        """The hash of what was added."""
        return TableHash(self.table.name, self._rows, self._digest.hexdigest())


def canonical_json(value: Any) -> msgspec.Raw:
    return msgspec.Raw(canonical_event_bytes(value))


def converted(
    kinds: Sequence[str], records: Iterable[Sequence[Any]], converters: Converters
) -> Iterator[Sequence[Any]]:
    """The records, with the values of these kinds converted; None stays."""
    chosen = [(place, converters[kind]) for place, kind in enumerate(kinds) if kind in converters]
    return map(partial(_convert, chosen), records) if chosen else iter(records)


def _convert(chosen: Sequence[tuple[int, Callable[[Any], Any]]], record: Sequence[Any]) -> list[Any]:
    values = list(record)
    for place, convert in chosen:
        if values[place] is not None:
            values[place] = convert(values[place])
    return values


def fetched(cursor: Any) -> Iterator[Sequence[Any]]:
    """The rows of a cursor of SQLite or DuckDB, some at a time."""
    while records := cursor.fetchmany(FETCH_ROWS):
        yield records


def hash_of(table: Table[Any], parts: Iterable[Sequence[Any]]) -> TableHash:
    """The hash of all rows of a read model in a file, which has JSON as canonical text."""
    hasher = RowHasher(table, msgspec.Raw)
    for records in parts:
        hasher.add(records)
    return hasher.hash()
