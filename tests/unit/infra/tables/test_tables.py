"""A table is read as what it is: a workbook or a text, in its encoding, with its delimiter, within limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from io import BytesIO
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from infra.tables.mapping import MappingDocument
from infra.tables.rows import all_rows, guessed_encoding
from infra.tables.workbook import CELLS_MAX, TAGS_MAX, XLSX_BYTES_MAX, WrongTable
from tests.every import every

AT: Final = datetime.fromisoformat("2006-06-01T08:30")
PLAIN: Final = MappingDocument()
SHEET: Final = "xl/worksheets/sheet1.xml"
ROWS: Final[Sequence[Sequence[Any]]] = [["receipt", "المبلغ"], ["R-1", 1250.75], ["R-2", 7]]


def workbook(*sheets: Sequence[Sequence[Any]], change: Callable[[Any], object] = lambda book: None) -> bytes:
    """A workbook as openpyxl writes it, changed before it is saved."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    change(book)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """The workbook with another text of a part."""
    target = BytesIO()
    with ZipFile(BytesIO(content)) as source, ZipFile(target, "w", ZIP_DEFLATED) as made:
        for entry in source.namelist():
            made.writestr(entry, part if entry == name else source.read(entry))
        if name not in source.namelist():
            made.writestr(name, part)
    return target.getvalue()


def sheet_of(rows: bytes) -> bytes:
    """A workbook with these rows as a program may write them."""
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return with_part(workbook(ROWS), SHEET, head + rows + b"</sheetData></worksheet>")


def read(content: bytes, mapping: MappingDocument = PLAIN) -> list[tuple[int, list[str]]]:
    return [(row.first_line, row.cells) for row in all_rows(BytesIO(content), mapping)]


def test_a_workbooks_cells_are_what_a_spreadsheet_shows_without_its_formats() -> None:
    rows: list[list[Any]] = [
        [None],
        ["id", "amount", "on", "at", "hour", "open", "sum", "note"],
        ["R-1", 1250.75, date(2006, 6, 1), AT, time(8, 30), True, 0.1 + 0.2, None],
        [None],
        ["R-2", 7, "2006-06-02", None, None, False, "=not a formula", " كما هو "],
    ]

    def as_text(book: Any) -> None:
        book.worksheets[0]["G5"].data_type = "s"

    assert read(workbook(rows, change=as_text)) == [
        (2, ["id", "amount", "on", "at", "hour", "open", "sum", "note"]),
        (3, ["R-1", "1250.75", "2006-06-01", "2006-06-01T08:30:00", "08:30:00", "true", "0.3", ""]),
        (5, ["R-2", "7", "2006-06-02", "", "", "false", "=not a formula", " كما هو "]),
    ]


def test_the_only_visible_table_is_read_or_the_one_that_is_named() -> None:
    def hide(book: Any) -> None:
        book.worksheets[1].sheet_state = "hidden"

    assert read(workbook(ROWS, [["codes"]], [], change=hide))[0] == (1, ["receipt", "المبلغ"])
    both = workbook(ROWS, [["codes"]])
    with pytest.raises(WrongTable, match=r"has tables in \['Sheet', 'Sheet1'\].* such as sheet = \"Sheet\""):
        read(both)
    assert read(both, MappingDocument(sheet="Sheet1")) == [(1, ["codes"])]
    with pytest.raises(WrongTable, match=r"no sheet 'Codes'; it has \['Sheet', 'Sheet1'\]"):
        read(both, MappingDocument(sheet="Codes"))


def refused() -> Iterator[tuple[bytes, str]]:
    yield workbook(ROWS, change=lambda book: book.worksheets[0].merge_cells("A2:B2")), "The cells A2:B2 are merged"
    yield workbook([*ROWS, ["R-3", "=B2+B3"]]), "Cell B4 has a formula without a result"
    yield workbook([*ROWS, ["R-3", "#REF!"]]), "Cell B4 is an error, such as #REF!"
    yield workbook([*ROWS, ["R-3", 1, "x"]]), "Row 4 and the header have different numbers of cells, 3 and 2"
    yield workbook([]), "no table"
    yield sheet_of(b'<row r="2"><c><v>1</v></c></row><row r="1"><c><v>2</v></c></row>'), "Row 1 stands after row 2"
    yield sheet_of(b'<row r="9999999999"><c><v>1</v></c></row>'), f"more than {CELLS_MAX:,} cells"
    yield sheet_of(b'<row><c r="XFD1"/></row>' * 1000), f"more than {CELLS_MAX:,} cells"
    yield sheet_of(b'<row r="x"><c/></row>'), "cannot be read"
    yield with_part(workbook(ROWS), "xl/media/a.png", b"\0" * (XLSX_BYTES_MAX + 1)), "more than 64 MiB uncompressed"
    yield (
        with_part(workbook(ROWS), "xl/styles.xml", b"<s>" + b"<x/>" * TAGS_MAX + b"</s>"),
        f"more than {TAGS_MAX:,} tags",
    )
    for encoding in ("utf-8", "utf-16"):
        text = '<!DOCTYPE s [<!ENTITY a "aaaaaaaa">]><s>&a;&a;</s>'
        yield with_part(workbook(ROWS), "xl/sharedStrings.xml", text.encode(encoding)), "document type"
    yield workbook(ROWS)[:200], "cannot be read"
    yield with_part(workbook(ROWS), "xl/workbook.xml", b"<"), "cannot be read"
    yield b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "XLS"


@every(("content", "message"), refused)
def test_nothing_is_read_of_a_workbook_that_lacks_values_or_costs_too_much(content: bytes, message: str) -> None:
    with pytest.raises(WrongTable, match=message):
        read(content)


def test_the_header_is_known_before_the_rest_of_the_sheet_is_read() -> None:
    merged = workbook(ROWS, change=lambda book: book.worksheets[0].merge_cells("A2:B2"))
    assert next(all_rows(BytesIO(merged), PLAIN)).cells == ROWS[0]


def test_a_formula_with_its_result_is_the_result() -> None:
    rows = b'<row><c t="str"><f>A</f><v>id</v></c></row><row><c><f>1+1</f><v>2</v></c></row>'
    assert read(sheet_of(rows)) == [(1, ["id"]), (2, ["2"])]


@every(
    ("text", "mapping", "header"),
    [
        ("a,b\n1,2\n", PLAIN, ["a", "b"]),
        ("a;b\n1,5;2\n", PLAIN, ["a", "b"]),
        ('a\tb\tc\n"1,\n2"\t3\t4\n', PLAIN, ["a", "b", "c"]),
        ("a|b\n", PLAIN, ["a", "b"]),
        ('\n"a, b";c\n', PLAIN, ["a, b", "c"]),
        ("a, b;c\n", MappingDocument(ignored_columns=["a, b", "c"]), ["a, b", "c"]),
        ("one\n", PLAIN, ["one"]),
        ("a;b,c\n", MappingDocument(delimiter=","), ["a;b", "c"]),
    ],
)
def test_the_delimiter_is_that_of_the_header(text: str, mapping: MappingDocument, header: list[str]) -> None:
    assert read(text.encode(), mapping)[0][1] == header


def test_the_encoding_of_a_text_is_found_but_never_assumed() -> None:
    text = "الإيصال\tالمبلغ\n1\t2\n"
    for codec in ("utf-8", "utf-8-sig", "utf-16"):
        assert guessed_encoding(BytesIO(text.encode(codec))) == "utf-8"
        assert read(text.encode(codec)) == [(1, ["الإيصال", "المبلغ"]), (2, ["1", "2"])]
    arabic = text.encode("cp1256")
    assert guessed_encoding(BytesIO(arabic)) == "windows-1256"
    with pytest.raises(WrongTable, match=r'not utf-8; name its `encoding` .* encoding = "windows-1256"'):
        read(arabic)
    assert read(arabic, MappingDocument(encoding="windows-1256"))[0][1] == ["الإيصال", "المبلغ"]
