"""The completeness of the agencies' numbers as a table, as rows of a file and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from consumers.documents.document import label_of
from consumers.documents.log.entries import MonthRow, ranges_text
from consumers.documents.names import Names, with_code
from consumers.documents.tables import cells, columns
from consumers.revenue.statements.paper import Paper, Sheet
from events.values.bilingual import Bilingual
from infra.command_line.display import Grid, Row, Section
from infra.command_line.language import localized
from infra.json_documents import with_long_numbers_as_texts

_TITLE: Final = Bilingual("اكتمال أرقام التسلسل", "Completeness of sequence numbers")
_ON_PAPER: Final = ("month", "status", "entries", "refused", "numbers", "missing_count")
COLUMNS: Final = MonthRow.__struct_fields__
"""Of a file. Sequence numbers have up to 20 digits, more than a whole number of a spreadsheet: they are texts."""


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
