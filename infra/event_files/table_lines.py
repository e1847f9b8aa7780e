"""The rows of a table as lines to publish, and refused rows as a table of the same form."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Container, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import BinaryIO

from infra.event_files.ndjson import LINE_BYTES_MAX, Line, copy_lines
from infra.tables.mapping import MappingDocument
from infra.tables.rows import all_rows, codec_of, mapped_rows
from infra.tables.workbook import is_workbook


def mapped_lines(stream: BinaryIO, document: MappingDocument) -> Iterator[Line]:
    """Every row as an event. Raises `WrongTable` or `WrongMapping` before the first one."""
    for first_line, mapping, cells in mapped_rows(stream, document):
        yield Line(first_line, mapping.line(cells, LINE_BYTES_MAX))


def copy_rows(source: BinaryIO, target: BinaryIO, document: MappingDocument, numbers: Container[int]) -> None:
    """Copy the header and the rows that begin at these lines unchanged, as a table that the same mapping fits.

    Of a workbook, and of a text in UTF-16, it is CSV in UTF-8.
    """
    rows = enumerate(all_rows(source, document))
    kept = (row for position, row in rows if position == 0 or row.first_line in numbers)
    if is_workbook(source) or codec_of(source, document.encoding) == "utf-16":
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=document.delimiter or ",").writerows(row.cells for row in kept)
        target.write(text.getvalue().encode("utf-8-sig"))
        return
    spans = [(row.first_line, row.last_line) for row in kept]
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
