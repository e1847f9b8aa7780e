"""The rows of a workbook (XLSX) as texts, as a spreadsheet shows them without its formats.

A workbook is a compressed folder that anybody can write, so it is measured before it is read: its bytes, its tags and
its cells are bounded, and a document type (which can define text that multiplies) is refused. Nothing is guessed:
merged cells, errors and formulas whose result is not stored are faults, since their rows would lack values unnoticed.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, Final
from zipfile import BadZipFile, ZipFile

from events.values.bilingual import Bilingual
from infra.errors import WrongInput

XLSX_BYTES_MAX: Final = 64 << 20
"""Of all parts of a workbook, uncompressed."""
TAGS_MAX: Final = 4_000_000
"""Of all parts; about 800,000 cells. A tag takes up to a hundred bytes of memory."""
CELLS_MAX: Final = 2_000_000
"""Of a sheet, with the empty ones before the last of each row: one far to the right is a few bytes of the file."""
_PIECE_BYTES: Final = 1 << 18
WORKBOOK: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_DAY_ZERO: Final = date(1899, 12, 30).toordinal()
_B: Final = Bilingual
_OLD: Final = _B(
    "هذا مصنف قديم (XLS) أو له كلمة مرور: احفظه بصيغة XLSX بلا كلمة مرور.",
    "This is an old workbook (XLS) or one with a password: save it as XLSX without a password",
)
_UNREADABLE: Final = _B(
    "تعذرت قراءة المصنف: افتحه في برنامج جداول واحفظه بصيغة XLSX بلا كلمة مرور.",
    "The workbook cannot be read: open it in a spreadsheet and save it as XLSX without a password",
)
_OTHER_LENGTH: Final = _B(
    "عدد الخلايا في الصف {} هو {} وفي صف العناوين {}: سمّ كل عمود.",
    "Row {} and the header have different numbers of cells, {} and {}: name each column",
)
_TOO_LARGE: Final = _B(
    "في المصنف أكثر من {}: احفظ الورقة بصيغة CSV وترميز UTF-8.",
    "The workbook has more than {}: save the sheet as CSV in UTF-8",
)
_MIB: Final = _B("{} ميغابايت بعد فك الضغط", "{} MiB uncompressed")
_TAGS: Final = _B("{:,} وسم", "{:,} tags")
_CELLS: Final = _B("{:,} خلية", "{:,} cells")
_DOCUMENT_TYPE: Final = _B(
    "في المصنف تعريف نوع مستند لا يحتاجه: احفظه من جديد بصيغة XLSX.",
    "The workbook has a document type, which none needs: save it again as XLSX",
)
_SHEETS: Final = _B(
    'في المصنف جداول في الأوراق {}: أبقِ واحدة، أو اذكرها في ملف الربط، مثل sheet = "{}".',
    'The workbook has tables in {}: name one in the mapping, such as sheet = "{}"',
)
_NO_TABLE: Final = _B(
    "لا جدول في المصنف: اجعل أسماء الأعمدة في أول صف من الورقة.",
    "The workbook has no table: the first row of a sheet must name the columns",
)
_NO_SHEET: Final = _B("لا ورقة باسم {} في المصنف؛ أوراقه: {}.", "The workbook has no sheet {}; it has {}")
_ORDER: Final = _B(
    "الصف {} يأتي بعد الصف {}: احفظ المصنف من جديد بصيغة XLSX.",
    "Row {} stands after row {}: save the workbook again as XLSX",
)
_FORMULA: Final = _B(
    "في الخلية {} صيغة بلا نتيجة: افتح المصنف في برنامج جداول واحفظه.",
    "Cell {} has a formula without a result: open the workbook in a spreadsheet and save it",
)
_MERGED: Final = _B(
    "الخلايا {} مضمومة في خلية واحدة: افصلها واملأ كلًا منها، أو احذف صفها إن كان عنوانًا فوق الجدول.",
    "The cells {} are merged: split them and fill each, or delete their row if it is a title above the table",
)
_ERROR: Final = _B("في الخلية {} خطأ مثل ‎#REF!‎: صححها.", "Cell {} is an error, such as #REF!: correct it")
_BROKEN: Final = (
    *(BadZipFile, EOFError, zlib.error, SyntaxError, LookupError, ValueError, TypeError, AttributeError),
    *(RuntimeError, NotImplementedError),  # a password, an unknown compression
)
"""What the libraries raise for a file that is no workbook, or a damaged one."""


class WrongTable(WrongInput):
    """The table is not well-formed: correct it; nothing was done."""


def is_workbook(stream: BinaryIO) -> bool:
    """Whether the file is an XLSX. Raises `WrongTable` for a workbook of another kind."""
    stream.seek(0)
    start = stream.read(4)
    if start == _OLE:
        raise WrongTable(_OLD)
    return start == WORKBOOK


def day_of_serial(serial: str) -> str:
    """The ISO date of the number by which a spreadsheet counts a day, of five digits."""
    return date.fromordinal(_DAY_ZERO + int(serial)).isoformat()


def sheet_rows(stream: BinaryIO, sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each row that is not blank, all as long as the first, which names the columns.

    `sheet`: the name of the sheet; None: the only visible one with a table. Raises `WrongTable`: after the
    first row for the rest of the sheet, so that a caller who needs only the header does not wait for it.
    """
    import openpyxl  # the small install lacks it

    warnings.filterwarnings("ignore", module="openpyxl")
    stream.seek(0)
    try:
        with ZipFile(stream) as archive:
            _measure(archive)
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        chosen = _chosen(book, sheet)
        width = 0
        for number, cells in _rows(chosen):
            is_first, width = not width, width or len(cells)
            if len(cells) > width:
                raise WrongTable(_OTHER_LENGTH.format(number, len(cells), width))
            yield number, cells + [""] * (width - len(cells))
            if is_first:
                _require_plain(chosen)
    except _BROKEN as error:
        raise WrongTable(_UNREADABLE) from error


def _measure(archive: ZipFile) -> None:
    """Raises `WrongTable` beyond the limits. No part gives more bytes than its entry says."""
    parts = archive.infolist()
    if sum(part.file_size for part in parts) > XLSX_BYTES_MAX:
        raise WrongTable(_TOO_LARGE.format(_MIB.format(XLSX_BYTES_MAX >> 20)))
    tags = 0
    for part in parts:
        with archive.open(part) as stream:
            tail = b""
            while piece := stream.read(_PIECE_BYTES):
                tags += piece.count(b"<")
                if tags > TAGS_MAX:
                    raise WrongTable(_TOO_LARGE.format(_TAGS.format(TAGS_MAX)))
                text = (tail + piece).replace(b"\0", b"")  # UTF-16
                if b"<!DOCTYPE" in text:
                    raise WrongTable(_DOCUMENT_TYPE)
                tail = text[-8:]


def _chosen(book: Any, name: str | None) -> Any:
    """The sheet of this name, or the only one with a table, without the size that it claims."""
    sheets = book.worksheets
    for sheet in sheets:
        sheet.reset_dimensions()
    if name is None:
        filled = [sheet for sheet in sheets if sheet.sheet_state == "visible" and next(_rows(sheet), None)]
    else:
        filled = [sheet for sheet in sheets if sheet.title == name]
    if len(filled) == 1:
        return filled[0]
    if filled:
        names = [sheet.title for sheet in filled]
        raise WrongTable(_SHEETS.format(str(names), names[0]))
    if name is None:
        raise WrongTable(_NO_TABLE)
    raise WrongTable(_NO_SHEET.format(repr(name), str([sheet.title for sheet in sheets])))


def _require_plain(sheet: Any) -> None:
    """Raises `WrongTable` where a value would be missing unnoticed: in merged cells, in rows out of order, in a formula
    that no spreadsheet has computed."""
    from openpyxl.xml.functions import iterparse

    last = 0
    with sheet._get_source() as source:
        for _, element in iterparse(source):
            match element.tag.rpartition("}")[2]:
                case "row":
                    number = int(element.get("r", last + 1))
                    if number <= last:
                        raise WrongTable(_ORDER.format(number, last))
                    last = number
                    for cell in element:
                        parts = {part.tag.rpartition("}")[2]: part.text for part in cell}
                        if "f" in parts and not parts.get("v") and cell.get("t") != "str":
                            raise WrongTable(_FORMULA.format(cell.get("r")))
                    element.clear()
                case "mergeCell":
                    raise WrongTable(_MERGED.format(element.get("ref")))


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, without the empty cells at their end."""
    total = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        total += len(row) + 1
        if total > CELLS_MAX:
            raise WrongTable(_TOO_LARGE.format(_CELLS.format(CELLS_MAX)))
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _text(cell: Any) -> str:
    """A cell's value. A number has the 15 digits that spreadsheets count with: 0.1 + 0.2 is 0.3."""
    value = cell.value
    if cell.data_type == "e":
        raise WrongTable(_ERROR.format(cell.coordinate))
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.15g}"
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return str(value)
