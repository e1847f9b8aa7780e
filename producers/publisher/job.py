"""One run of `yesser publish`: sends the lines, collects the verdicts, writes the refused lines.

Flows in: a `Job`. Flows out: a `Report`, and why some outcomes are unknown.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from events.errors import Reject, YesserError
from events.validation.verdicts import first_day_ahead
from infra.errors import WrongInput
from infra.event_files.ndjson import Defaults
from infra.secret_files import private_file
from producers.errors import RecordsLost
from producers.publisher.destination import Destination, Progress
from producers.publisher.report import PublishDocument, Report
from producers.publisher.resume_state import ResumeState
from producers.publisher.run import Sending
from producers.publisher.sources import Source


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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def read(self, bytes_count: int) -> None:
        self._progress.advance(self._sending, bytes_count)

    def verdicts(self, lines_count: int, of_count: int) -> None:
        if self._verdicts is None:
            self._verdicts = self._progress.add_task("verdicts", total=of_count)
        self._progress.update(self._verdicts, completed=lines_count, total=of_count)

    def waits(self, reason: str) -> None:
        self._progress.console.print(f"yesser: {reason}", markup=False, highlight=False, soft_wrap=True)
