"""Publishes a file: every line to the agency's topic, then, on request, the registrar's verdict on every line.

Flows in: the pieces of a file or pipe. Flows out: a `Report`. Memory does not grow with the number of lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final

from events.validation.refusal import may_leave_out
from events.values.bilingual import Bilingual
from events.wire.entry import parse_entry
from infra.event_files.ndjson import Defaults, Line
from infra.event_files.opening import PIECE_BYTES, Opening, reader
from infra.kafka.client_config import agency_topic
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.verdicts import (
    Paused,
    Refused,
    TopicState,
    Verdicts,
    next_sequence,
    read_topic_state,
    read_verdicts,
)
from infra.process.retry import PatientConnection
from infra.settings import Settings
from producers.errors import RecordsLost, TopicHalted
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.report import Report
from producers.publisher.resume_state import ResumeState

_IDLE_S: Final = 0.02
"""A batch is sent after waiting this long for more lines of a slow pipe."""


class Progress:
    """Receives the progress of a run; this one shows nothing."""

    def read(self, bytes_count: int) -> None:
        """This many more bytes of the file were read."""

    def verdicts(self, lines_count: int, of_count: int) -> None:
        """This many of the sent lines have their verdict."""

    def waits(self, reason: str) -> None:
        """The verdicts are delayed, for this reason; called once per pause."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Where lines go, and where progress is reported."""

    publisher: AgencyPublisher
    defaults: Defaults
    report: Report
    progress: Progress
    resume_state: ResumeState | None = None


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
    """Give the next lines to the publisher; lines that are already stored are only counted."""
    report, resume_state = sending.report, sending.resume_state
    report.lines += len(lines)
    for line in lines if resume_state is None else resume_state.left(lines):
        if line.text is None:
            report.unsent.append(line.number)
        else:
            await sending.publisher.add(sending.defaults.fill(line.text), line.number)


async def _pieces(stream: BinaryIO, publisher: AgencyPublisher) -> AsyncIterator[bytes]:
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


async def start_sequence(settings: Settings, agency: str, end_offset: int, timeout_s: float | None) -> int:
    """The first free `sequence`, once the registrar has read the topic's existing records."""
    topic = agency_topic(agency)
    async with PatientConnection(settings, "publish", timeout_s) as database:
        while True:
            reading = await database.ask(lambda connection: read_topic_state(connection, topic))
            if reading.next_offset >= end_offset:
                return await database.ask(lambda connection: next_sequence(connection, agency))
            _require_reading(topic, reading)
            await database.pause()


async def wait_for_verdicts(
    settings: Settings, agency: str, report: Report, progress: Progress, timeout_s: float | None
) -> None:
    """Wait until every sent line has its verdict.

    Raises `TopicHalted`, `RecordsLost`, or `WaitTimedOut` after `timeout_s`; `report` then has the known verdicts.
    """
    verdicts = report.verdicts = Verdicts()
    topic, end_offset, done, lines_count = agency_topic(agency), report.sent.end_offset, 0, 0
    is_paused = False
    async with PatientConnection(settings, "publish", timeout_s) as database:
        while done < end_offset:
            reading = await database.ask(lambda connection: read_topic_state(connection, topic))
            # In a topic that was created again the offsets are those of other records: no verdict is ours.
            _require_reading(topic, reading)
            sent = report.sent.ranges(done, min(reading.next_offset, end_offset))
            if sent:
                verdicts.add(await database.ask(partial(read_verdicts, topic=topic, sent=sent)))
                lines_count += sum(map(len, sent))
                progress.verdicts(lines_count, report.sent.lines_count)
                database.hurry()
            done = max(done, min(reading.next_offset, end_offset))
            if done < end_offset:
                if reading.paused is not None and not is_paused:
                    progress.waits(_why(topic, reading.paused))
                is_paused = reading.paused is not None
                await database.pause()
        verdicts.unlisted = await database.ask(partial(_unlisted, refusals=verdicts.refusals))
    _require_all(topic, report)


def _why(topic: str, paused: Paused) -> str:
    sentence = Bilingual(
        "يُقرأ موضوع الجهة ببطء: {reason}. لا يُتخطّى شيء، وينتهي الإبطاء عند أول سجل مقبول.",
        "{topic} is paused: {reason}. Nothing is skipped: the registrar reads the next record at {until:%H:%M:%S} UTC,"
        " and the first accepted record ends the pause. The platform's operators can end it with"
        " `yesser registrar unpause`.",
    ).format(topic=topic, reason=Bilingual(**paused.reason), until=paused.until)
    return f"{sentence.en}\n{sentence.ar}"


async def _unlisted(connection: Connection, refusals: Sequence[Refused]) -> int:
    """How many faults the refusals do not list: their entries say so."""
    count = 0
    for refusal in refusals:
        if may_leave_out(refusal.errors):
            (raw,) = await read_checked(connection, refusal.index, 1)
            count += parse_entry(refusal.index, raw).data["problem"].get("unlisted", 0)
    return count


def _require_all(topic: str, report: Report) -> None:
    """The registrar has read past all lines: one without a verdict was gone by then. Raises `RecordsLost`."""
    if lost := report.sent.lines_count - report.verdicts_count:
        raise RecordsLost(f"{topic}: lines without a verdict: {lost:,}. {RecordsLost.__doc__}")


def _require_reading(topic: str, reading: TopicState) -> None:
    if reading.halted_reason is not None:
        raise TopicHalted(f"{TopicHalted.__doc__} {topic}: {reading.halted_reason}")
