"""The rows of a CSV file as lines to publish, and refused rows as a table of the same form."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import BinaryIO

from infra.event_files.ndjson import LINE_BYTES_MAX, Line, copy_lines
from infra.tables.mapping import MappingDocument
from infra.tables.rows import all_rows, mapped_rows


def mapped_lines(stream: BinaryIO, document: MappingDocument) -> Iterator[Line]:
    """Every row as an event. Raises `WrongTable` or `WrongMapping` before the first one."""
    for first_line, mapping, cells in mapped_rows(stream, document):
        text = mapping.line(cells)
        yield Line(first_line, text if len(text) <= LINE_BYTES_MAX else None)


def copy_rows(source: BinaryIO, target: BinaryIO, document: MappingDocument, numbers: Container[int]) -> None:
    """Copy the header and the rows that begin at these lines unchanged, as a table of the same form."""
    wanted: set[int] = set()
    for position, row in enumerate(all_rows(source, document)):
        if position == 0 or row.first_line in numbers:
            wanted.update(range(row.first_line, row.last_line + 1))
    source.seek(0)
    copy_lines(source, target, wanted)
