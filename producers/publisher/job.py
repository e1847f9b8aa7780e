"""One run of `yesser publish`: sends the lines, collects the verdicts, writes the refused lines.

Flows in: a `Job`. Flows out: a `Report`, and why some outcomes are unknown.

The source is a file of events, one per line, or a table with its mapping. Both are read again for the ids and the text
of refused lines. The sound lines go to their destination in order. Memory does not grow with the number of lines.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from events.errors import Reject, YesserError
from events.validation.validate import validate_form
from events.validation.verdicts import Admitted, Agency, Refused, first_day_ahead
from events.wire.codec import STRUCTURED_HEADERS
from infra.errors import WrongInput
from infra.event_files.lint import LINE_TOO_LARGE
from infra.event_files.ndjson import PIECE_BYTES, Defaults, Line, Opening, copy_lines, read_ids, reader, shown_id
from infra.event_files.table_lines import copy_rows, mapped_lines
from infra.secret_files import private_file
from infra.tables.mapping import MappingDocument
from producers.errors import RecordsLost
from producers.publisher.report import Destination, Progress, PublishDocument, Publisher, Report
from producers.publisher.resume_state import ResumeState

_OF_ROLE: Final = "not-authorised"
_IDLE_S: Final = 0.02
"""A batch is sent after waiting this long for more lines of a slow pipe."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Where lines go, and where progress is reported.

    With the `agency`, faulty lines are not sent; without it, the registrar alone judges. `first_day` is that of
    `first_day_ahead`.
    """

    publisher: Publisher
    defaults: Defaults
    report: Report
    progress: Progress
    first_day: str
    resume_state: ResumeState | None = None
    agency: str | None = None

    def sound(self, line: Line) -> bytes | None:
        """What is sent of a line; None where it is faulty: its faults are in the report then."""
        if line.text is None:
            self.report.unsent[line.number] = [LINE_TOO_LARGE]
            return None
        if self.agency is not None:
            agency = Agency(self.agency, "agency")
            verdict = validate_form(Defaults(self.agency).fill(line.text), STRUCTURED_HEADERS, agency)
            # Which role the agency has is in the log alone: the registrar judges that.
            if isinstance(verdict, Refused) and any(fault.code != _OF_ROLE for fault in verdict.faults):
                self.report.unsent[line.number] = verdict.faults
                self.report.unlisted += verdict.unlisted
                return None
            if isinstance(verdict, Admitted) and verdict.time >= self.first_day:
                self.report.ahead.append({"line": line.number, "time": verdict.time})
        return self.defaults.fill(line.text)


async def send_file(stream: BinaryIO, sending: Sending, opening: Opening | None = None) -> None:
    """Send every line that is not stored yet, those of the opening first; the report grows as lines are stored.

    Raises as the publisher does.
    """
    opening = opening or Opening()
    splitter, progress = opening.splitter, sending.progress
    await send_lines(opening.lines, sending)
    progress.read(opening.bytes_count)
    async for piece in _pieces(stream, sending.publisher):
        await send_lines(splitter.feed(piece), sending)
        progress.read(len(piece))
    await send_lines(splitter.end(), sending)
    await sending.publisher.flush()


async def send_lines(lines: list[Line], sending: Sending) -> None:
    """Give the next sound lines to the publisher; lines that are already stored are only counted."""
    report, resume_state = sending.report, sending.resume_state
    report.lines += len(lines)
    left = lines if resume_state is None else resume_state.left(lines)
    for line in lines:
        if line.number in report.unsent:  # by an earlier run, which stored no faults
            sending.sound(line)
    for line in left:
        if (event := sending.sound(line)) is not None:
            await sending.publisher.add(event, line.number)


async def _pieces(stream: BinaryIO, publisher: Publisher) -> AsyncIterator[bytes]:
    """The stream in pieces, read in a thread, so that a slow pipe does not delay acknowledgements."""
    while True:
        reading = asyncio.ensure_future(asyncio.to_thread(reader(stream), PIECE_BYTES))
        done, _ = await asyncio.wait([reading], timeout=_IDLE_S)
        if not done:
            await publisher.push()
        piece = await reading
        if not piece:
            return
        yield piece


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


@dataclass(frozen=True, slots=True)
class Job:
    """What to publish, and how. `refused` is the file for the refused lines, `resume` the state file.

    `raw`: the lines are sent as they are, also faulty ones.
    """

    destination: Destination
    agency: str
    file: BinaryIO
    source: Source
    wait: bool
    sequence: bool
    timeout_s: float | None
    resume: Path | None = None
    refused: Path | None = None
    raw: bool = False


async def run_job(job: Job) -> tuple[Report, YesserError | None]:
    """Publish, and wait for the verdicts if `wait` is set; the error explains why some outcomes are unknown.

    Raises `WrongInput`, and a `Reject` of the destination if nothing was sent.
    """
    report = Report()
    checked = None if job.raw else job.agency
    resume_state = ResumeState.open(job.resume, job.agency, report) if job.resume else None
    with Bars(_size(job.file)) as progress:
        try:
            destination = job.destination
            defaults = Defaults(job.agency, await destination.first_sequence(job.timeout_s) if job.sequence else None)
            acknowledged = resume_state.acknowledged if resume_state else report.sent.add
            async with destination.publisher(report, acknowledged) as publisher:
                first_day = first_day_ahead(datetime.now(UTC))
                await job.source.send(Sending(publisher, defaults, report, progress, first_day, resume_state, checked))
            if resume_state:
                resume_state.end()
            if job.wait:
                await destination.wait_for_verdicts(report, progress, job.timeout_s)
                report.is_final = True
        except Reject as error:
            if not report.sent.lines_count:
                raise
            return report, error
        except WrongInput:
            raise
        except RecordsLost as error:
            report.has_lost = True
            if resume_state:
                resume_state.forget()
            return report, error
        except YesserError as error:
            return report, error
        finally:
            if resume_state:
                resume_state.save()
    return report, None


def write_refused(job: Job, report: Report, document: PublishDocument) -> None:
    """Write the refused lines, once no more verdicts come: the file's n-th line is the n-th of `refused_lines`."""
    if job.refused is None or not (report.is_final or report.has_lost):
        return
    numbers = report.problem_lines()
    # A refused line may contain a national id: only the owner may read the file, whatever was there before.
    with private_file(job.refused) as target:
        job.source.copy(target, numbers)
    document.refused_file, document.refused_lines = str(job.refused), sorted(numbers)


def _size(file: BinaryIO) -> int | None:
    """Size of a file in bytes; None for a pipe."""
    return Path(file.name).stat().st_size if is_file(file) else None


def is_file(file: BinaryIO) -> bool:
    """Whether it is a regular file, which can be read again."""
    name = getattr(file, "name", None)
    return isinstance(name, str) and Path(name).is_file()


class Bars(Progress):
    """One bar for the bytes read (of `size_bytes`, None if unknown), one for the lines with a verdict."""

    def __init__(self, size_bytes: int | None) -> None:
        self._progress = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._sending = self._progress.add_task("sending", total=size_bytes)
        self._verdicts: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def read(self, bytes_count: int) -> None:
        self._progress.advance(self._sending, bytes_count)

    def verdicts(self, lines_count: int, of_count: int) -> None:
        if self._verdicts is None:
            self._verdicts = self._progress.add_task("verdicts", total=of_count)
        self._progress.update(self._verdicts, completed=lines_count, total=of_count)

    def waits(self, reason: str) -> None:
        self._progress.console.print(f"yesser: {reason}", markup=False, highlight=False, soft_wrap=True)
