"""The rows of a CSV file, numbered by the line where a row begins.

A table with any malformed row is not read at all, because a wrong quote shifts every cell after it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from infra.errors import WrongInput
from infra.tables.mapping import MappingDocument, RowMapping, bind

DELIMITERS_MAX: Final = 200_000
"""Of one row, with those in its cells. A million cells would take a hundred times the bytes of their file."""
_ENCODINGS: Final = {"utf-8": "utf-8-sig", "windows-1256": "cp1256"}


class WrongTable(WrongInput):
    """The CSV file is not well-formed: correct it; nothing was done."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank, with its first and last line in the file."""

    first_line: int
    last_line: int
    cells: list[str]


def mapped_rows(stream: BinaryIO, document: MappingDocument) -> Iterator[tuple[int, RowMapping, list[str]]]:
    """Every row below the header: the line where it begins, its mapping, its cells.

    The whole table is checked first: raises `WrongTable` or `WrongMapping`.
    """
    mapping: RowMapping | None = None
    for row in _checked(stream, document):
        mapping = mapping or bind(document, row.cells)
    if mapping is None:
        raise WrongTable("the table has no header: the first row must name the columns")
    rows = all_rows(stream, document)
    next(rows)
    for row in rows:
        yield row.first_line, mapping, row.cells


def _checked(stream: BinaryIO, document: MappingDocument) -> Iterator[Row]:
    header: Row | None = None
    for row in all_rows(stream, document):
        header = header or row
        if len(row.cells) != len(header.cells):
            raise WrongTable(
                f"line {row.first_line} has {len(row.cells)} cells and the header {len(header.cells)}:"
                " look for a missing quote or delimiter there or just before"
            )
        yield row


def all_rows(stream: BinaryIO, document: MappingDocument) -> Iterator[Row]:
    """Every row that is not blank, the header first. Raises `WrongTable`."""
    if not stream.seekable():
        raise WrongTable("a table is read twice: give a file, not a pipe")
    stream.seek(0)
    with _text(stream, _ENCODINGS[document.encoding]) as text:
        before = delimiters = 0

        def counted() -> Iterator[str]:
            nonlocal delimiters
            for line in text:
                delimiters += line.count(document.delimiter)
                if delimiters > DELIMITERS_MAX:
                    raise WrongTable(f"line {reader.line_num + 1}: a row has more than {DELIMITERS_MAX:,} delimiters")
                yield line

        reader = csv.reader(counted(), delimiter=document.delimiter, strict=True)
        try:
            for cells in reader:
                delimiters = 0
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
