"""The source of a publish: a file of events, one per line, or a table with its mapping.

Both are read again for the ids and the text of refused lines.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from infra.event_files.ndjson import copy_lines, read_ids, shown_id
from infra.event_files.opening import Opening
from infra.event_files.table_lines import copy_rows, mapped_lines
from infra.tables.mapping import MappingDocument
from producers.publisher.run import Sending, send_file, send_lines

_ROWS_AT_ONCE: Final = 256


class Source(Protocol):
    """Something to publish. `ids` and `copy` need a regular file."""

    async def send(self, sending: Sending) -> None:
        """Send all lines."""

    def ids(self, numbers: Set[int]) -> dict[int, str | None]:
        """The event ids of the lines with these numbers; None where it cannot be shown."""

    def copy(self, target: BinaryIO, numbers: Set[int]) -> None:
        """Copy the lines with these numbers unchanged."""

    def column_of(self, pointer: str) -> str | None:
        """The column that fills what the pointer names, in a table."""


@dataclass(frozen=True, slots=True)
class EventFile:
    """One event per line."""

    stream: BinaryIO
    opening: Opening

    async def send(self, sending: Sending) -> None:
        await send_file(self.stream, sending, self.opening)

    def ids(self, numbers: Set[int]) -> dict[int, str | None]:
        with Path(self.stream.name).open("rb") as again:
            return read_ids(again, numbers)

    def copy(self, target: BinaryIO, numbers: Set[int]) -> None:
        with Path(self.stream.name).open("rb") as again:
            copy_lines(again, target, numbers)

    def column_of(self, pointer: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file or a workbook, which is read several times."""

    stream: BinaryIO
    mapping: MappingDocument

    async def send(self, sending: Sending) -> None:
        lines, read_bytes = mapped_lines(self.stream, self.mapping), 0
        while batch := list(islice(lines, _ROWS_AT_ONCE)):
            await send_lines(batch, sending)
            sending.progress.read(max(0, self.stream.tell() - read_bytes))
            read_bytes = self.stream.tell()
        await sending.publisher.flush()

    def ids(self, numbers: Set[int]) -> dict[int, str | None]:
        return {
            line.number: None if line.text is None else shown_id(line.text)
            for line in mapped_lines(self.stream, self.mapping)
            if line.number in numbers
        }

    def copy(self, target: BinaryIO, numbers: Set[int]) -> None:
        copy_rows(self.stream, target, self.mapping, numbers)

    def column_of(self, pointer: str) -> str | None:
        return self.mapping.column_of(pointer)
