"""Publishing a file: every line to the agency's topic, then, on request, the registrar's verdict on every line.

Flows in: the pieces of a file or pipe. Flows out: a `Report`. Memory is flat in the number of lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import BinaryIO, Final, Protocol

from events.errors import YesserError
from infra.kafka.client_config import agency_topic
from infra.postgres.verdicts import Paused, Reading, Verdicts, next_sequence, read_topic_state, read_verdicts
from infra.process.retry import PatientConnection
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.ndjson import Defaults, Line
from producers.publisher.opening import PIECE_BYTES, Opening, reader
from producers.publisher.report import Report
from producers.publisher.resume_state import ResumeState

_IDLE_S: Final = 0.02
"""A batch that waits this long for more lines (of a slow pipe) is sent as it is."""


class TopicHalted(YesserError):
    """The registrar has stopped reading this agency's topic: its records get no verdict until it is mended."""


class Progress(Protocol):
    """Told as it goes on."""

    def read(self, bytes_count: int, /) -> None:
        """So many more bytes of the file were read and handed on."""

    def judged(self, lines_count: int, of_count: int, /) -> None:
        """So many of the lines that were sent have their verdict."""

    def waits(self, reason: str, /) -> None:
        """The verdicts take longer, and why; said once a pause."""


async def send_file(
    stream: BinaryIO,
    publisher: AgencyPublisher,
    filling: Defaults,
    report: Report,
    progress: Progress,
    *,
    opening: Opening | None = None,
    bookmark: ResumeState | None = None,
) -> None:
    """Send every line that the bookmark leaves, those of the opening first; `report` fills as lines are stored.

    Raises as the publisher does.
    """
    opening = opening or Opening()
    splitter = opening.splitter
    await send_lines(opening.lines, publisher, filling, report, bookmark)
    progress.read(opening.bytes_count)
    async for piece in _pieces(stream, publisher):
        await send_lines(splitter.feed(piece), publisher, filling, report, bookmark)
        progress.read(len(piece))
    await send_lines(splitter.end(), publisher, filling, report, bookmark)
    await publisher.flush()


async def send_lines(
    lines: list[Line],
    publisher: AgencyPublisher,
    filling: Defaults,
    report: Report,
    bookmark: ResumeState | None,
) -> None:
    """Hand the next lines to the publisher; those that the bookmark has passed are only counted."""
    report.lines += len(lines)
    for line in lines if bookmark is None else bookmark.left(lines):
        if line.text is None:
            report.unsent.append(line.number)
        else:
            await publisher.add(filling.fill(line.text), line.number)


async def _pieces(stream: BinaryIO, publisher: AgencyPublisher) -> AsyncIterator[bytes]:
    """What can be read, piece by piece, in a thread: a slow pipe must not hold acknowledgements up."""
    while True:
        reading = asyncio.ensure_future(asyncio.to_thread(reader(stream), PIECE_BYTES))
        done, _ = await asyncio.wait([reading], timeout=_IDLE_S)
        if not done:
            await publisher.push()
        piece = await reading
        if not piece:
            return
        yield piece


async def start_sequence(settings: Settings, agency: str, end_offset: int, timeout_s: float | None) -> int:
    """The first free `sequence`, once the registrar has read what stands in the topic already."""
    topic = agency_topic(agency)
    async with PatientConnection(settings, "publish", timeout_s) as database:
        while True:
            reading = await database.ask(lambda connection: read_topic_state(connection, topic))
            if reading.next_offset >= end_offset:
                return await database.ask(lambda connection: next_sequence(connection, agency))
            _require_reading(topic, reading)
            await database.pause()


async def judge_lines(
    settings: Settings, agency: str, report: Report, progress: Progress, timeout_s: float | None
) -> None:
    """Return when every line that was sent has its verdict.

    Raises `TopicHalted`, or `WaitTimedOut` after `timeout_s`; `report` then holds what is known.
    """
    verdicts = report.verdicts = Verdicts()
    topic, end_offset, done, judged = agency_topic(agency), report.sent.end_offset, 0, 0
    is_paused = False
    async with PatientConnection(settings, "publish", timeout_s) as database:
        while done < end_offset:
            reading = await database.ask(lambda connection: read_topic_state(connection, topic))
            # In a topic that was made anew the same offsets are those of other records: no verdict is ours.
            _require_reading(topic, reading)
            sent = report.sent.ranges(done, min(reading.next_offset, end_offset))
            if sent:
                verdicts.add(await database.ask(partial(read_verdicts, topic=topic, sent=sent)))
                judged += sum(map(len, sent))
                progress.judged(judged, report.sent.lines_count)
                database.hurry()
            done = max(done, min(reading.next_offset, end_offset))
            if done < end_offset:
                if reading.paused is not None and not is_paused:
                    progress.waits(_why(topic, reading.paused))
                is_paused = reading.paused is not None
                await database.pause()


def _why(topic: str, paused: Paused) -> str:
    return (
        f"{topic} is read slowly: {paused.reason['en']}. Nothing is skipped: a record is tried at"
        f" {paused.until:%H:%M:%S} UTC and then from time to time, and the first good one ends the pause."
        " Whoever runs the platform lets all of it through with `yesser registrar unpause`.\n"
        f"يُقرأ موضوع الجهة ببطء: {paused.reason['ar']}. لا يُتخطّى شيء، وينتهي الإبطاء عند أول سجل مقبول."
    )


def _require_reading(topic: str, reading: Reading) -> None:
    if reading.halted_reason is not None:
        raise TopicHalted(f"{TopicHalted.__doc__} {topic}: {reading.halted_reason}")
