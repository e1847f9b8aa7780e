"""Every receipt and reversal of a statement with its arithmetic, a row for each band that it moved through.

Amounts are whole halalas, shares exact fractions of a halala; a row's posting is in the columns before them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from consumers.revenue.statements.working import Posting, bands_of, trace
from events.errors import YesserError

COLUMNS: Final = (
    "index", "id", "dated_on", "service_id", "contract_version", "window", "amount_halalas",
    "cumulative_before_halalas", "cumulative_after_halalas", "partner_halalas", "treasury_halalas",
    "band", "band_amount_halalas", "band_rate_bp", "band_share_halalas",
)  # fmt: skip
_PARQUET_TYPES: Final = {
    name: "VARCHAR"
    if name in ("id", "dated_on", "service_id", "band", "band_amount_halalas", "band_share_halalas")
    else "BIGINT"
    for name in COLUMNS
}


class NoTable(YesserError):
    """XLSX needs the package xlsxwriter, Parquet duckdb: install it, or use --csv."""


def posting_rows(versions: Sequence[Mapping[str, Any]], postings: Sequence[Posting]) -> Iterator[tuple[Any, ...]]:
    """Rows of `COLUMNS`, in log order."""
    bands = {version["version"]: bands_of(version["terms"]) for version in versions}
    for posting in postings:
        own = (
            posting.index,
            posting.id,
            posting.dated_on,
            posting.service_id,
            posting.contract_version,
            posting.window_number,
            posting.amount_halalas,
            posting.before_halalas,
            posting.after_halalas,
            posting.partner_halalas,
            posting.treasury_halalas,
        )
        for line in trace(bands[posting.contract_version], posting):
            amount, share = _exact(line.amount_halalas), _exact(line.share_halalas)
            yield (*own, line.band.kind, amount, line.band.rate_bp, share)


def write_csv(path: Path, rows: Iterator[tuple[Any, ...]]) -> None:
    """UTF-8 with a byte order mark, so that spreadsheets read it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def write_xlsx(path: Path, rows: Iterator[tuple[Any, ...]]) -> None:
    """One sheet; text is never read as a formula. Raises `NoTable`."""
    try:
        import xlsxwriter
    except ImportError:
        raise NoTable(NoTable.__doc__) from None
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("postings")
        sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row)


def write_parquet(path: Path, rows: Iterator[tuple[Any, ...]]) -> None:
    """Fractions of a halala are text, as in the CSV. Raises `NoTable`."""
    try:
        import duckdb
    except ImportError:
        raise NoTable(NoTable.__doc__) from None
    lines = path.with_name(f".{path.name}.csv")
    try:
        write_csv(lines, rows)
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in _PARQUET_TYPES.items())
        with duckdb.connect() as database:
            source = f"read_csv(?, header=true, columns={{{types}}})"
            database.execute(f"CREATE TEMP TABLE postings AS SELECT * FROM {source}", [str(lines)])
            database.execute("COPY postings TO ? (FORMAT parquet, COMPRESSION zstd)", [str(path)])
    finally:
        lines.unlink(missing_ok=True)


def _exact(halalas: Fraction) -> int | str:
    """A whole number, or a decimal or common fraction as text."""
    return halalas.numerator if halalas.denominator == 1 else str(halalas)
