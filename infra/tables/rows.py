"""The rows of a table: of a CSV file numbered by the line where a row begins, of a workbook by its row.

A table with any malformed row is not read at all, because a wrong quote shifts every cell after it. What a table is
written in (XLSX, or text in which encoding, with which delimiter) is found in its bytes; a mapping may name it.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from events.values.bilingual import Bilingual
from infra.tables.mapping import Encoding, MappingDocument, RowMapping, bind
from infra.tables.workbook import WrongTable, is_workbook, sheet_rows

DELIMITERS_MAX: Final = 200_000
"""Of one row, with those in its cells. A million cells would take a hundred times the bytes of their file."""
DELIMITERS: Final = (",", ";", "\t", "|")
_CODECS: Final = {"utf-8": "utf-8-sig", "windows-1256": "cp1256"}
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEADER_BYTES_MAX: Final = 1 << 16
_PIECE_BYTES: Final = 1 << 18

NO_HEADER: Final = Bilingual(
    "لا سطر عناوين في الجدول: اجعل أسماء الأعمدة في أول سطر.",
    "The table has no header: the first row must name the columns",
)
_OTHER_LENGTH: Final = Bilingual(
    "عدد الخلايا في السطر {} هو {} وفي سطر العناوين {}: ابحث فيه أو قبله عن فاصل أو علامة اقتباس ناقصة.",
    "Line {} and the header have different numbers of cells, {} and {}: a quote or delimiter is missing here or before",
)
_PIPE: Final = Bilingual("يُقرأ الجدول مرتين: استعمل ملفًا.", "A table is read twice: give a file, not a pipe")
_TOO_LONG: Final = Bilingual("السطر {}: فيه أكثر من {:,} فاصل.", "Line {}: a row has more than {:,} delimiters")
_MALFORMED: Final = Bilingual(
    "السطر {} لا يُقرأ: فيه علامة اقتباس زائدة أو ناقصة، أو خلية طويلة جدًّا.",
    "Line {} cannot be read: a quote is missing or too many, or a cell is too long",
)
_ENCODING: Final = Bilingual(
    'بعد السطر {}: ترميز الجدول ليس {}؛ اذكر ترميزه في ملف الربط، مثل encoding = "{}".',
    'After line {}: the table is not {}; name its `encoding` in the mapping, such as encoding = "{}"',
)


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row that is not blank, with its first and last line in the file."""

    first_line: int
    last_line: int
    cells: list[str]


def mapped_rows(stream: BinaryIO, document: MappingDocument) -> Iterator[tuple[int, RowMapping, list[str]]]:
    """Every row below the header: the line where it begins, its mapping, its cells.

    The whole table is checked first: raises `WrongTable` or `WrongMapping`.
    """
    mapping: RowMapping | None = None
    for row in checked_rows(stream, document):
        mapping = mapping or bind(document, row.cells)
    if mapping is None:
        raise WrongTable(NO_HEADER)
    rows = all_rows(stream, document)
    next(rows)
    for row in rows:
        yield row.first_line, mapping, row.cells


def checked_rows(stream: BinaryIO, document: MappingDocument) -> Iterator[TableRow]:
    """As `all_rows`, each as long as the header."""
    header: TableRow | None = None
    for row in all_rows(stream, document):
        header = header or row
        if len(row.cells) != len(header.cells):
            raise WrongTable(_OTHER_LENGTH.format(row.first_line, len(row.cells), len(header.cells)))
        yield row


def all_rows(stream: BinaryIO, document: MappingDocument) -> Iterator[TableRow]:
    """Every row that is not blank, the header first. Raises `WrongTable`."""
    if not stream.seekable():
        raise WrongTable(_PIPE)
    if is_workbook(stream):
        yield from (TableRow(number, number, cells) for number, cells in sheet_rows(stream, document.sheet))
        return
    delimiter = document.delimiter or guessed_delimiter(stream, document)
    stream.seek(0)
    with _text(stream, codec_of(stream, document.encoding)) as text:
        before = delimiters = 0

        def counted() -> Iterator[str]:
            nonlocal delimiters
            for line in text:
                delimiters += line.count(delimiter)
                if delimiters > DELIMITERS_MAX:
                    raise WrongTable(_TOO_LONG.format(reader.line_num + 1, DELIMITERS_MAX))
                yield line

        reader = csv.reader(counted(), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                delimiters = 0
                if any(cells):
                    yield TableRow(before + 1, reader.line_num, cells)
                before = reader.line_num
        except csv.Error as error:
            raise WrongTable(_MALFORMED.format(reader.line_num)) from error
        except UnicodeDecodeError as error:
            other = "windows-1256" if document.encoding == "utf-8" else "utf-8"
            raise WrongTable(_ENCODING.format(reader.line_num, document.encoding, other)) from error


def codec_of(stream: BinaryIO, encoding: Encoding) -> str:
    """The codec of a text: the named one, or UTF-16 where a byte order mark says so, as in a spreadsheet's
    "Unicode text". The stream is then at its beginning."""
    stream.seek(0)
    start = stream.read(2)
    stream.seek(0)
    return "utf-16" if start in _UTF_16 else _CODECS[encoding]


def guessed_form(stream: BinaryIO, form: MappingDocument | None = None) -> MappingDocument:
    """The form with encoding and delimiter of a text, for a person who sees what they give; for a workbook as it is.

    Raises `WrongTable` for a workbook of another kind.
    """
    form = form or MappingDocument()
    if is_workbook(stream):
        return form
    form = form.model_copy(update={"encoding": guessed_encoding(stream)})
    return form.model_copy(update={"delimiter": guessed_delimiter(stream, form)})


def guessed_encoding(stream: BinaryIO) -> Encoding:
    """UTF-8 where all bytes are, else what spreadsheets in Arabic write. For a person who sees what it gives: in the
    second any bytes are some text."""
    decoder = codecs.getincrementaldecoder(codec_of(stream, "utf-8"))()
    try:
        while piece := stream.read(_PIECE_BYTES):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "windows-1256"
    return "utf-8"


def guessed_delimiter(stream: BinaryIO, document: MappingDocument) -> str:
    """The delimiter that gives the header the most columns that the mapping names, then the most columns."""
    with _text(stream, codec_of(stream, document.encoding), errors="replace") as text:
        beginning = text.read(_HEADER_BYTES_MAX)
    named = {*document.columns, *document.ignored_columns}

    def fit(delimiter: str) -> tuple[int, int]:
        try:
            rows = csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter, strict=True)
            header = next((cells for cells in rows if any(cells)), [])
        except csv.Error:
            return 0, 0
        return len(named.intersection(header)), len(header)

    return max(DELIMITERS, key=fit)


@contextmanager
def _text(stream: BinaryIO, codec: str, errors: str = "strict") -> Iterator[io.TextIOWrapper]:
    """The stream as text whose lines end at LF only; the stream stays open."""
    text = io.TextIOWrapper(stream, encoding=codec, errors=errors, newline="\n")
    try:
        yield text
    finally:
        text.detach()
