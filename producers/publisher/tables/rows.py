"""The rows of a CSV file as lines to publish: numbered by the line where a row begins, mapped to events.

Flows in: a seekable file and a mapping. Flows out: `Line`s as for NDJSON. A table with any malformed row is not sent,
because a wrong quote shifts every cell after it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from producers.errors import WrongInput
from producers.publisher.ndjson import LINE_BYTES_MAX, Line, copy_lines
from producers.publisher.tables.mapping import MappingDocument, RowMapping, bind

_ENCODINGS: Final = {"utf-8": "utf-8-sig", "windows-1256": "cp1256"}


class WrongTable(WrongInput):
    """The CSV file is not well-formed: correct it; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank, with its first and last line in the file."""

    first_line: int
    last_line: int
    cells: list[str]


def mapped_lines(stream: BinaryIO, document: MappingDocument) -> Iterator[Line]:
    """Every row as an event. The whole table is checked first: raises `WrongTable` or `WrongMapping`."""
    mapping: RowMapping | None = None
    for row in _checked(stream, document):
        mapping = mapping or bind(document, row.cells)
    if mapping is None:
        raise WrongTable("the table has no header: the first row must name the columns")
    rows = _rows(stream, document)
    next(rows)
    for row in rows:
        text = mapping.line(row.cells)
        yield Line(row.first_line, text if len(text) <= LINE_BYTES_MAX else None)


def copy_rows(source: BinaryIO, target: BinaryIO, document: MappingDocument, numbers: Container[int]) -> None:
    """Copy the header and the rows that begin at these lines unchanged, as a table of the same form."""
    wanted: set[int] = set()
    for position, row in enumerate(_rows(source, document)):
        if position == 0 or row.first_line in numbers:
            wanted.update(range(row.first_line, row.last_line + 1))
    source.seek(0)
    copy_lines(source, target, wanted)


def _checked(stream: BinaryIO, document: MappingDocument) -> Iterator[Row]:
    header: Row | None = None
    for row in _rows(stream, document):
        header = header or row
        if len(row.cells) != len(header.cells):
            raise WrongTable(
                f"line {row.first_line} has {len(row.cells)} cells and the header {len(header.cells)}:"
                " look for a missing quote or delimiter there or just before"
            )
        yield row


def _rows(stream: BinaryIO, document: MappingDocument) -> Iterator[Row]:
    stream.seek(0)
    with _text(stream, _ENCODINGS[document.encoding]) as text:
        reader = csv.reader(text, delimiter=document.delimiter, strict=True)
        before = 0
        try:
            for cells in reader:
                if any(cells):
                    yield Row(before + 1, reader.line_num, cells)
                before = reader.line_num
        except csv.Error as error:
            raise WrongTable(f"line {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise WrongTable(
                f"after line {reader.line_num}: the table is not {document.encoding};"
                " name its `encoding` in the mapping"
            ) from error


@contextmanager
def _text(stream: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    """The stream as text whose lines end at LF only; the stream stays open."""
    text = io.TextIOWrapper(stream, encoding=encoding, newline="\n")
    try:
        yield text
    finally:
        text.detach()
