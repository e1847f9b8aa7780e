"""A read model as a Parquet file, with the hash of the live one: the file is read back and hashed before it counts.

Needs DuckDB (the extra `parquet`). Text, whole numbers and booleans have their Parquet types, `bytea` is binary, and
`jsonb` is JSON text.
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any, Final

import msgspec

from consumers.proof.offline.store import SqliteStore, hashed_rows_sql, quoted
from consumers.replay.fold.table_hash import RowHasher, TableHash, fetched, hash_of
from events.errors import Halt
from infra.postgres.unit_of_work import Table

_TYPES: Final = {"text": "VARCHAR", "bigint": "BIGINT", "boolean": "BOOLEAN", "bytea": "VARCHAR", "jsonb": "JSON"}
"""Of the lines: bytes are in hexadecimal there."""
_ONE_FILE: Final = "hive_partitioning=false"
"""No `name=value` in a path is a column."""


class ParquetDiffers(Halt):
    """A Parquet file does not hold the rows that were written to it: report it, and use SQLite meanwhile."""


def require_parquet() -> None:
    """Raise `ModuleNotFoundError` where the extra `parquet` is not installed."""
    import duckdb  # noqa: F401


def write_parquet(store: SqliteStore, table: Table[Any], path: Path, expected: TableHash) -> None:
    """Write the rows in the order of their primary key. Raises `ParquetDiffers` unless they have the expected hash."""
    import duckdb

    lines = path.with_suffix(".ndjson")
    with lines.open("wb") as file:
        file.writelines(map(RowHasher(table, msgspec.Raw).lines, store.parts(table)))
    kinds = dict(zip(table.columns, table.types, strict=True))
    column_types = ", ".join(f"'{name}': '{_TYPES[kind]}'" for name, kind in kinds.items())
    columns = ", ".join(
        f"unhex({quoted(name)}) AS {quoted(name)}" if kind == "bytea" else quoted(name) for name, kind in kinds.items()
    )
    options = f"format='newline_delimited', columns={{{column_types}}}, {_ONE_FILE}"
    rows = f"SELECT {columns} FROM read_json(?, {options})"
    with duckdb.connect() as database:
        database.sql(rows, params=[glob.escape(str(lines))]).write_parquet(str(path), compression="zstd")
        lines.unlink()
        query = hashed_rows_sql(table, f"read_parquet(?, {_ONE_FILE})")
        sha256 = hash_of(table, fetched(database.execute(query, [glob.escape(str(path))])))
    if sha256 != expected:
        raise ParquetDiffers(f"{path}: {ParquetDiffers.__doc__}")
