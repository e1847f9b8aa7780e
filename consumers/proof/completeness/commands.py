"""`yesser audit completeness`: which sequence numbers of each agency and month are missing, from the entries alone.

The completeness of the agencies' numbers as a table, as rows of a file and as a page.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Final

import click
from msgspec import UNSET, Struct, UnsetType

from consumers.documents.document import label_of
from consumers.documents.log.entries import MonthRow, ranges_text
from consumers.documents.names import Names, with_code
from consumers.documents.tables import cells, columns
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.commands.audit_options import AuditSource, source_options
from consumers.proof.completeness.derive import Completeness
from consumers.revenue.statements.paper import Paper, Sheet
from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.command_line.display import Grid, Row, Section, show
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_result
from infra.command_line.progress_bar import progress_bar
from infra.command_line.table_files import csv_text
from infra.json_documents import with_long_numbers_as_texts
from infra.log.ports.tree import BATCH_ENTRIES
from infra.settings import Settings

_TITLE: Final = Bilingual("اكتمال أرقام التسلسل", "Completeness of sequence numbers")
_ON_PAPER: Final = ("month", "status", "entries", "refused", "numbers", "missing_count")
COLUMNS: Final = MonthRow.__struct_fields__
"""Of a file. Sequence numbers have up to 20 digits, more than a whole number of a spreadsheet: they are texts."""
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


def file_rows(rows: Iterable[MonthRow]) -> Iterator[tuple[int | str | None, ...]]:
    """Rows of `COLUMNS`; ranges as `1-5 9`."""
    for row in rows:
        numbers = (None if n is None else str(n) for n in (row.first, row.last, row.missing_count))
        ranges = (ranges_text(found) for found in (row.in_log, row.missing, row.repeated))
        yield row.agency, row.month, row.status.value, row.entries, row.numbered, row.refused, *numbers, *ranges


def rows_table(rows: Iterable[MonthRow], names: Names) -> Grid:
    """A row for each month, by agency."""
    grid_rows: list[Row] = []
    for agency, own in groupby(rows, key=lambda row: row.agency):
        grid_rows.append(Section(localized(with_code(names, "agency", agency))))
        for month, *others in map(cells, own):
            grid_rows.append([f"  {month}", *others])
    return Grid(_TITLE, columns(MonthRow), grid_rows)


def page(rows: Sequence[MonthRow], names: Names, size: int, root: str) -> Paper:
    """A page with a table for each agency."""
    headings = tuple(label_of(MonthRow, name) for name in _ON_PAPER)
    sheets = []
    for agency, own in groupby(rows, key=lambda row: row.agency):
        lines = tuple(
            (
                row.month,
                Bilingual(row.status.ar, row.status.en),
                f"{row.entries:,}",
                f"{row.refused:,}",
                row.numbers or "—",
                _missing(row),
            )
            for row in own
        )
        title = Bilingual("الجهة: {}", "Agency: {}").format(with_code(names, "agency", agency))
        sheets.append(Sheet(title, headings, lines))
    return Paper(
        _TITLE,
        tuple(sheets),
        Bilingual(
            "يتبع من قيود السجل وحدها، وعددها {}، جذره {}. للتحقق: yesser audit completeness URL-OR-FOLDER",
            "Follows from the entries of the log alone: {} entries, root {}. To verify: yesser audit "
            "completeness URL-OR-FOLDER",
        ).format(size, root),
        "",
    )


class CompletenessDocument(Struct, frozen=True):
    """As JSON; `read_but_not_in_log` where the log is that of the database."""

    log_index: int
    root: str
    rows: Sequence[MonthRow]
    read_but_not_in_log: dict[str, list[list[int]]] | UnsetType


def document(
    rows: Sequence[MonthRow], size: int, root: str, read: dict[str, list[list[int]]] | UnsetType = UNSET
) -> CompletenessDocument:
    """The same for one checkpoint, wherever the log is read. A number beyond 53 bits is a text."""
    return CompletenessDocument(size, root, with_long_numbers_as_texts(rows), read)


def _missing(row: MonthRow) -> str:
    if row.missing_count is None:
        return "—"
    return f"{row.missing_count:,}" + (f": {row.which}" if row.missing else "")


class NoSuchAgency(YesserError):
    """The log knows no agency of this code."""


@click.command("completeness")
@source_options(required=False)
@click.option("--agency", help="Only this agency.")
@click.option(
    "--month", callback=lambda context, option, value: _month(value), help="Only this month, such as 2026-11."
)
@click.option("--csv", type=_FILE, help="Write the rows as CSV to this file.")
@click.option("--html", type=_FILE, help="Write a page in Arabic and English to this file.")
@json_option
def completeness_command(
    log: AuditSource, agency: str | None, month: str | None, csv: Path | None, html: Path | None, as_json: bool
) -> None:
    """Show for each agency and month which sequence numbers are in the log and which are missing, from the entries of a
    log at an address, in a mirror, in an export of the whole log or, without URL-OR-FOLDER, in the database.

    Months are those of the recorded time in Riyadh. A number counts in the month in which it first exceeds all
    earlier numbers. The database's own tables are compared with the entries. Exit code 76: they differ, or the log
    is not what was signed.
    """
    found, root = asyncio.run(_derived(log))
    size = found.size
    if agency is not None and agency not in found.agencies():
        near = get_close_matches(agency, found.agencies(), n=3)
        raise NoSuchAgency(f"The log knows no agency {agency}." + (f" Did you mean {', '.join(near)}?" if near else ""))
    rows = list(found.rows(agency, month))
    read = asyncio.run(_compared(found)) if log.place is None else UNSET
    texts = {} if csv is None else {csv: csv_text(COLUMNS, file_rows(rows))}
    if html is not None:
        from consumers.revenue.statements.formats import to_html  # imported here: it needs packages of the platform

        texts[html] = to_html(page(rows, found.names, size, root))
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="" if path == csv else None)
    written = ", ".join(map(str, texts))
    print_result(
        document(rows, size, root, read),
        as_json,
        lambda: (
            print_localized(Bilingual("كُتب: {}", "Written: {}").format(written))
            if written
            else show(rows_table(rows, found.names))
        ),
        indented=True,
    )


async def _compared(found: Completeness) -> dict[str, list[list[int]]]:
    from consumers.proof.completeness.stored import compare_numbers  # imported here: an auditor has no database

    return await compare_numbers(Settings(), found)


async def _derived(log: AuditSource) -> tuple[Completeness, str]:
    """Read every entry, each proven first. Returns what they give, and the log's root."""
    completeness = Completeness()
    if (export := log.whole_export("completeness")) is not None:
        for index, raw in export.entries():
            completeness.add(index, [raw])
        return completeness, export.root
    async with log.accepting() as (port, checkpoint):
        proven = AuthenticatedLog(port, checkpoint)
        with progress_bar("completeness", checkpoint.size) as update:
            while completeness.size < checkpoint.size:
                first = completeness.size
                completeness.add(first, await proven.entries(first, min(BATCH_ENTRIES, checkpoint.size - first)))
                update.to(completeness.size)
        return completeness, checkpoint.root.hex()


def _month(value: str | None) -> str | None:
    if value is not None and re.fullmatch("[0-9]{4}-(0[1-9]|1[0-2])", value) is None:
        raise click.BadParameter(f"{value!r} is not a month: write it as 2026-11.")
    return value
