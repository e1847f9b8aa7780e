"""The agency's topic as a destination; the platform's database says what became of the lines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from events.validation.refusal import may_leave_out
from events.values.bilingual import Bilingual
from events.wire.entry import parse_entry
from infra.kafka.client_config import agency_topic
from infra.kafka.end_offsets import end_offsets_reader
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.verdicts import Paused, TopicState, next_sequence, read_topic_state, read_verdicts
from infra.process.retry import PatientConnection
from infra.settings import Settings
from infra.verdicts import Refused, Verdicts
from producers.errors import TopicHalted
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.report import Acknowledged, Progress, Report


@dataclass(frozen=True, slots=True)
class KafkaDestination:
    """The agency's topic. `delivery_timeout_s`: longest wait for Kafka without any progress."""

    settings: Settings
    agency: str
    delivery_timeout_s: float

    def publisher(self, report: Report, acknowledged: Acknowledged) -> AbstractAsyncContextManager[AgencyPublisher]:
        return AgencyPublisher(
            self.settings, self.agency, acknowledged=acknowledged, delivery_timeout_s=self.delivery_timeout_s
        )

    async def first_sequence(self, timeout_s: float | None) -> int:
        topic = agency_topic(self.agency)
        async with asyncio.timeout(timeout_s), end_offsets_reader(self.settings) as end_offsets:
            ends = await end_offsets([topic])
        return await start_sequence(self.settings, self.agency, ends[topic], timeout_s)

    async def wait_for_verdicts(self, report: Report, progress: Progress, timeout_s: float | None) -> None:
        await wait_for_verdicts(self.settings, self.agency, report, progress, timeout_s)


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
    report.require_all_verdicts(topic)


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


def _require_reading(topic: str, reading: TopicState) -> None:
    if reading.halted_reason is not None:
        raise TopicHalted(f"{TopicHalted.__doc__} {topic}: {reading.halted_reason}")
