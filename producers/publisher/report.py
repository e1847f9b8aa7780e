"""Where `yesser publish` sends lines (the agency's topic in Kafka, or a gateway), and its report: the offset of each
line in Kafka, and the registrar's verdict on it.

Memory grows with the number of gaps between lines, not with their number.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, Self

from msgspec import UNSET, Struct, UnsetType

from events.faults.problems import Fault
from infra.event_files.lint import AheadLine
from infra.verdicts import Verdicts
from producers.errors import RecordsLost


class SentLines:
    """Line numbers ↔ offsets, both ascending."""

    def __init__(self) -> None:
        self._lines = array("q")
        self._offsets = array("q")
        self._counts = array("q")
        self.lines_count = 0

    def add(self, numbers: Sequence[int], first_offset: int) -> None:
        """Lines with these numbers are stored at consecutive offsets. Called in file order."""
        self.lines_count += len(numbers)
        for position, number in enumerate(numbers):
            self._add_one(number, first_offset + position)

    def _add_one(self, number: int, offset: int) -> None:
        if self._counts:
            count = self._counts[-1]
            if self._lines[-1] + count == number and self._offsets[-1] + count == offset:
                self._counts[-1] = count + 1
                return
        self._lines.append(number)
        self._offsets.append(offset)
        self._counts.append(1)

    @classmethod
    def of_runs(cls, runs: Iterable[Sequence[int]]) -> Self:
        """From (line, offset, number of lines), as `runs` returns them."""
        lines = cls()
        for number, offset, count in runs:
            lines.add(range(number, number + count), offset)
        return lines

    def runs(self) -> list[list[int]]:
        """(line, offset, number of lines) of each contiguous run."""
        return [list(run) for run in zip(self._lines, self._offsets, self._counts, strict=True)]

    @property
    def first_offset(self) -> int:
        """The offset of the first line; 0 if none was sent."""
        return self._offsets[0] if self._offsets else 0

    @property
    def end_offset(self) -> int:
        """The offset after the last line; 0 if none was sent."""
        return self._offsets[-1] + self._counts[-1] if self._counts else 0

    def ranges(self, first_offset: int, end_offset: int) -> list[range]:
        """Our offsets among `first_offset … end_offset - 1`, as ranges."""
        merged: list[range] = []
        start = max(0, bisect_right(self._offsets, first_offset) - 1)
        for position in range(start, len(self._offsets)):
            low = max(first_offset, self._offsets[position])
            high = min(end_offset, self._offsets[position] + self._counts[position])
            if self._offsets[position] >= end_offset:
                break
            if low >= high:
                continue
            if merged and merged[-1].stop == low:
                merged[-1] = range(merged[-1].start, high)
            else:
                merged.append(range(low, high))
        return merged

    def line_of(self, offset: int) -> int:
        position = bisect_right(self._offsets, offset) - 1
        return self._lines[position] + offset - self._offsets[position]


class ProblemRow(Struct):
    """A fault of a line, and the entry that records it; None for a line that was not sent. `column` is that of a
    table."""

    line: int
    id: str | None
    code: str
    pointer: str
    detail: str
    index: int | None
    column: str | UnsetType = UNSET


class PublishDocument(Struct, kw_only=True):
    """The answer of `yesser publish --json` (`events.md` §5). Without verdicts their counts are null.

    Until all are known, `sent` counts the lines stored in Kafka and `unknown` those without a verdict.
    """

    lines: int
    accepted: int | None = None
    duplicates: int | None = None
    conflicts: int | None = None
    refused: int | None = None
    first_index: int | None = None
    last_index: int | None = None
    problems: list[ProblemRow]
    unlisted: int | UnsetType = UNSET
    ahead: list[AheadLine] | UnsetType = UNSET
    sent: int | UnsetType = UNSET
    unknown: int | UnsetType = UNSET
    refused_file: str | UnsetType = UNSET
    refused_lines: list[int] | UnsetType = UNSET


@dataclass(slots=True)
class Report:
    """The result so far. `is_final`: every line has its verdict. `has_lost`: some have none, and none will come.

    `unsent` are the lines that were not sent, with their faults, `unlisted` how many faults of them are not listed, and
    `ahead` the lines of which the year may be wrong.
    """

    lines: int = 0
    unsent: dict[int, Sequence[Fault]] = field(default_factory=dict)
    unlisted: int = 0
    ahead: list[AheadLine] = field(default_factory=list)
    sent: SentLines = field(default_factory=SentLines)
    verdicts: Verdicts | None = None
    is_final: bool = False
    has_lost: bool = False
    ids: dict[int, str | None] = field(default_factory=dict)

    def document(self, column_of: Callable[[str], str | None] = lambda pointer: None) -> PublishDocument:
        """The document of `yesser publish`. `column_of` names the table's column that fills a pointer."""
        verdicts = self.verdicts
        document = PublishDocument(lines=self.lines, problems=self.problems())
        for row in document.problems:
            row.column = column_of(row.pointer) or UNSET
        if verdicts is not None:
            document.accepted, document.duplicates = verdicts.accepted, verdicts.duplicates
            document.conflicts = sum(refusal.is_conflict for refusal in verdicts.refusals)
            document.refused = len(self.unsent) + len(verdicts.refusals) - document.conflicts
            document.first_index, document.last_index = verdicts.first_index, verdicts.last_index
        document.ahead = self.ahead or UNSET
        document.unlisted = (self.unlisted + (verdicts.unlisted if verdicts else 0)) or UNSET
        if not self.is_final:
            document.sent = self.sent.lines_count
            document.unknown = self.lines - len(self.unsent) - self.verdicts_count
        return document

    @property
    def verdicts_count(self) -> int:
        """The number of sent lines that have their verdict."""
        verdicts = self.verdicts or Verdicts()
        return verdicts.accepted + verdicts.duplicates + len(verdicts.refusals)

    def require_all_verdicts(self, topic: str) -> None:
        """The registrar has read past all lines: one without a verdict was gone by then. Raises `RecordsLost`."""
        if lost := self.sent.lines_count - self.verdicts_count:
            raise RecordsLost(f"{topic}: lines without a verdict: {lost:,}. {RecordsLost.__doc__}")

    def problem_lines(self) -> set[int]:
        """Numbers of the lines that are refused or conflict."""
        refusals = self.verdicts.refusals if self.verdicts else []
        return {*self.unsent, *(self.sent.line_of(refusal.offset) for refusal in refusals)}

    def problems(self) -> list[ProblemRow]:
        """One row per fault, by line."""
        rows = [
            ProblemRow(number, self.ids.get(number), fault.code, fault.pointer, fault.detail, None)
            for number, faults in self.unsent.items()
            for fault in faults
        ]
        for refusal in self.verdicts.refusals if self.verdicts else []:
            number = self.sent.line_of(refusal.offset)
            id_ = self.ids.get(number, refusal.claimed_id)
            rows += [
                ProblemRow(number, id_, error["code"], error["pointer"], error["detail"], refusal.index)
                for error in refusal.errors
            ]
        rows.sort(key=lambda row: row.line)
        return rows


Acknowledged = Callable[[Sequence[int], int], None]
"""Called for lines that are stored, in order: their numbers, and the offset of the first of them."""


class Progress:
    """Receives the progress of a run; this one shows nothing."""

    def read(self, bytes_count: int) -> None:
        """This many more bytes of the file were read."""

    def verdicts(self, lines_count: int, of_count: int) -> None:
        """This many of the sent lines have their verdict."""

    def waits(self, reason: str) -> None:
        """The verdicts are delayed, for this reason; called once per pause."""


class Publisher(Protocol):
    """Stores lines in order. `tag` is the number of a line."""

    async def add(self, value: bytes, tag: int = 0) -> None:
        """Send a line with others, when they are enough or at a `push`."""

    async def push(self) -> None:
        """Send what was added."""

    async def flush(self) -> None:
        """Return when all that was added is stored, or refused."""


class Destination(Protocol):
    """Stores lines, and says what became of them. Each error that says nothing was stored is a `Reject`."""

    def publisher(self, report: Report, acknowledged: Acknowledged) -> AbstractAsyncContextManager[Publisher]:
        """The publisher of a run; lines that it refuses are in the report's `unsent`."""

    async def first_sequence(self, timeout_s: float | None) -> int:
        """The first free `sequence` of the agency."""

    async def wait_for_verdicts(self, report: Report, progress: Progress, timeout_s: float | None) -> None:
        """Wait until every sent line has its verdict.

        Raises `TopicHalted`, `RecordsLost`, or `WaitTimedOut` after `timeout_s`; `report` then has the known verdicts.
        """
