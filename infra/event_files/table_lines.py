"""The rows of a CSV file as lines to publish, and refused rows as a table of the same form."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import BinaryIO

from infra.event_files.ndjson import LINE_BYTES_MAX, Line, copy_lines
from infra.tables.mapping import MappingDocument
from infra.tables.rows import all_rows, mapped_rows


def mapped_lines(stream: BinaryIO, document: MappingDocument) -> Iterator[Line]:
    """Every row as an event. Raises `WrongTable` or `WrongMapping` before the first one."""
    for first_line, mapping, cells in mapped_rows(stream, document):
        yield Line(first_line, mapping.line(cells, LINE_BYTES_MAX))


def copy_rows(source: BinaryIO, target: BinaryIO, document: MappingDocument, numbers: Container[int]) -> None:
    """Copy the header and the rows that begin at these lines unchanged, as a table of the same form."""
    rows = enumerate(all_rows(source, document))
    spans = [(row.first_line, row.last_line) for position, row in rows if position == 0 or row.first_line in numbers]
    source.seek(0)
    copy_lines(source, target, _Spans(spans))


@dataclass(frozen=True, slots=True)
class _Spans:
    """The numbers of lines in some spans, in order: a row may have a million lines."""

    spans: list[tuple[int, int]]

    def __contains__(self, number: object) -> bool:
        assert isinstance(number, int)
        position = bisect_right(self.spans, number, key=itemgetter(0)) - 1
        return position >= 0 and number <= self.spans[position][1]
