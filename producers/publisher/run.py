"""Sends the lines of a file: the sound ones to their destination, in order.

Flows in: the pieces of a file or pipe. Flows out: a `Report`. Memory does not grow with the number of lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from events.validation.validate import validate_form
from events.validation.verdicts import Admitted, Agency, Refused
from events.wire.codec import STRUCTURED_HEADERS
from infra.event_files.lint import LINE_TOO_LARGE
from infra.event_files.ndjson import Defaults, Line
from infra.event_files.opening import PIECE_BYTES, Opening, reader
from producers.publisher.destination import Progress, Publisher
from producers.publisher.report import Report
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
