"""Rows as a file that spreadsheets and databases open: CSV, XLSX, Parquet.

A column is text (`VARCHAR`) or a whole number (`BIGINT`); there are no fractions and no dates of a spreadsheet's own.
"""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

from events.errors import YesserError

Columns = Mapping[str, Literal["BIGINT", "VARCHAR"]]
"""Name → type, in order."""
Rows = Iterable[tuple[int | str | None, ...]]
XLSX_ROWS_MAX: Final = 1_048_575
"""Rows below the heading that a worksheet can hold."""


class NoTable(YesserError):
    """XLSX needs the package xlsxwriter, Parquet duckdb: install it, or write CSV."""


class TooManyRows(YesserError):
    """A worksheet holds 1,048,575 rows: write CSV or Parquet."""


_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_text(columns: Iterable[str], rows: Rows) -> str:
    """A table as CSV for spreadsheets, with a byte order mark. Text that a spreadsheet would run as a formula is
    preceded by an apostrophe."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([_plain_cell(cell) for cell in row] for row in rows)
    return "\ufeff" + file.getvalue()


def _plain_cell(cell: int | str | None) -> int | str | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def write_csv(path: Path, columns: Columns, rows: Rows) -> None:
    """UTF-8 with a byte order mark, so that spreadsheets read it. Text is written as it is, for programs too: what
    the log has passed validation. For text of anybody use `csv_text`."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def write_xlsx(path: Path, columns: Columns, rows: Rows, rows_max: int = XLSX_ROWS_MAX) -> None:
    """One sheet; text is never read as a formula. Raises `NoTable` or `TooManyRows`, and then leaves no file behind."""
    try:
        import xlsxwriter
    except ImportError:
        raise NoTable(NoTable.__doc__) from None
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with xlsxwriter.Workbook(unfinished, options) as book:  # it is written after an error too
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows, 1):
                if number > rows_max:
                    raise TooManyRows(TooManyRows.__doc__)
                sheet.write_row(number, 0, row)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_parquet(path: Path, columns: Columns, rows: Rows) -> None:
    """Raises `NoTable`."""
    lines = path.with_name(f".{path.name}.csv")
    try:
        write_csv(lines, columns, rows)
        parquet_of(lines, path, columns, "read_csv", "header=true")
    except ImportError:
        raise NoTable(NoTable.__doc__) from None
    finally:
        lines.unlink(missing_ok=True)


def parquet_of(
    lines: Path,
    path: Path,
    types: Mapping[str, str],
    read: str = "read_json",
    options: str = "format='newline_delimited'",
    select: str = "*",
) -> None:
    """Write a file of rows as Parquet, in its order. Raises `ImportError` where the extra `parquet` is missing."""
    import duckdb

    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    # The path is that of one file: no pattern, and no `name=value` in it is a column.
    rows = f"SELECT {select} FROM {read}(?, {options}, hive_partitioning=false, columns={{{columns}}})"  # noqa: S608 - our own columns
    with duckdb.connect() as database:
        database.sql(rows, params=[glob.escape(str(lines))]).write_parquet(str(path), compression="zstd")


WRITERS: Final[Mapping[str, Callable[[Path, Columns, Rows], None]]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
}
"""By the name of the format."""
