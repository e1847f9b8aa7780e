"""Resumes reading an agency's topic: ends a pause, or lifts a halt.

A running registrar applies the change within seconds.

Flows in: an agency's code. Flows out: the topic's state, and the effects of the change in Arabic and English.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition

from consumers.registrar.batch import Mark, has_mark
from events.errors import Retry, YesserError
from events.values.bilingual import Bilingual
from infra.kafka.admin import admin_client, ensure_agency_topic
from infra.kafka.client_config import agency_topic
from infra.kafka.clients import acknowledged, consuming, producing
from infra.kafka.end_offsets import end_offsets_reader, ends_of_existing
from infra.postgres.connection import Connection
from infra.postgres.outbox import PLATFORM
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

_POLL_S: Final = 0.1
_ANSWER_S: Final = 10.0
_FILLED_AT_ONCE: Final = 10_000
_SQL: Final = queries("consumers.registrar.topics", "topic_admin.sql")


class NothingToRelease(YesserError):
    """Nothing waits for an operator here."""


class NotReleased(Retry):
    """The registrar has not applied it within the time. It does so once it runs: see `yesser status`."""


@dataclass(frozen=True, slots=True)
class Halted:
    """A halted topic as it is now. `first_offset` and `end_offset` are None if it no longer exists.

    The registrar had read up to `next_offset`. `is_restored`: its last read record is back at its offset.
    """

    topic: str
    reason: str
    next_offset: int
    first_offset: int | None
    end_offset: int | None
    is_restored: bool

    @property
    def has_aged(self) -> bool:
        """Whether all that was read was deleted in order, by retention or an operator."""
        return self.first_offset is not None and self.next_offset > 0 and self.first_offset >= self.next_offset

    @property
    def deleted_unread(self) -> range:
        """Offsets whose records were deleted before they were read. They get no verdict."""
        return range(self.next_offset, max(self.next_offset, self.first_offset or 0))

    @property
    def missing(self) -> range:
        """Offsets that were read and are missing now."""
        return range(min(self.end_offset or 0, self.next_offset), self.next_offset)

    @property
    def unread(self) -> range:
        """Offsets whose records may have changed since they were read: they are not read again."""
        return range(0) if self.is_restored or self.has_aged else range(self.missing.start)

    def sentences(self) -> Iterator[Bilingual]:
        """The effects of lifting the halt."""
        topic = self.topic
        if self.is_restored:
            whole = Bilingual(
                "يحوي {} كل ما قُرئ منه: لم يُفقد شيء.", "{} has all records that were read: nothing is lost."
            )
            yield whole.format(topic)
        elif self.has_aged and not self.deleted_unread:
            yield Bilingual(
                "حُذف من {} كل ما قُرئ منه بالترتيب: لم يُفقد شيء.",
                "All records of {} that were read were deleted in order: nothing is lost.",
            ).format(topic)
        if self.deleted_unread:
            yield Bilingual(
                "حُذفت السجلات {} من {} قبل أن تُقرأ، وليس لها نتائج تحقق: على الجهة إرسال أحداثها من جديد"
                " بالمعرّفات نفسها.",
                "The records {} were deleted from {} before they were read. They get no verdict: the agency must send"
                " their events again, with the same ids.",
            ).format(_span(self.deleted_unread), topic)
        if self.missing:
            yield Bilingual(
                "السجلات {} لم تعد في {}، ونتائج التحقق منها في السجل الوطني وتبقى فيه."
                " تُملأ مواضعها بسجلات فارغة كي لا يُستعمل عنوان مرتين. أوقِف الجهة أولًا كي لا تكتب أثناء ذلك.",
                "The records {} are missing from {}. Their verdicts stay in the log. Their offsets are filled with"
                " empty records, so that no address is used twice. Suspend the agency first, so that it does not write"
                " meanwhile.",
            ).format(_span(self.missing), topic)
        if self.unread:
            yield Bilingual(
                "ما يوجد الآن في المواضع {} لا يُقرأ لأن لهذه العناوين نتائج تحقق: ما كتبته الجهة هناك بعد الفقد"
                " لا يصل إلى السجل، وعليها إرساله من جديد بالمعرّفات نفسها.",
                "The current records at the offsets {} are not read, because these addresses have verdicts. The agency"
                " must send the events that it wrote there since the loss again, with the same ids.",
            ).format(_span(self.unread))
        resumes = Bilingual("تستمر القراءة من الموضع {}.", "Reading resumes at offset {}.")
        yield resumes.format(self.deleted_unread.stop)


def _span(offsets: range) -> str:
    return f"{offsets.start} … {offsets.stop - 1}"


async def unpause_topic(connection: Connection, settings: Settings, code: str, timeout_s: float) -> int:
    """End the pause of the agency's topic: its current records are read at once and do not count for a new pause.

    Returns the number of waiting records. Raises `NothingToRelease`, or `NotReleased` after `timeout_s`.
    """
    topic = agency_topic(code)
    row = await connection.fetchrow(_SQL["position"], topic)
    if row is None or row["paused_until"] is None:
        raise NothingToRelease(f"{topic} is not paused: there is nothing to do.")
    async with end_offsets_reader(settings) as end_offsets:
        end = (await end_offsets([topic]))[topic]
    async with connection.transaction():
        await connection.execute(_SQL["let_through"], topic, end)
        await add_to_trail(connection, "registrar unpause", code)
    await _until_read_as_usual(connection, topic, timeout_s)
    return max(0, end - int(row["next_offset"]))


async def look_at(connection: Connection, settings: Settings, code: str) -> Halted:
    """The current state of a halted topic. Raises `NothingToRelease`."""
    topic = agency_topic(code)
    row = await connection.fetchrow(_SQL["position"], topic)
    if row is None or row["halted_reason"] is None:
        raise NothingToRelease(f"{topic} is not halted: there is nothing to do.")
    last = row["next_offset"] - 1
    first, end, record = await _ends_and_record(settings, topic, last)
    mark = Mark(row["last_record_sha256"], row["last_record_appended_ms"])
    # If nothing was read, an unreadable batch caused the halt: it is tried again.
    restored = last < 0 or (record is not None and has_mark(record, mark))
    return Halted(topic, row["halted_reason"], row["next_offset"], first, end, restored)


async def lift_halt(connection: Connection, settings: Settings, code: str, found: Halted) -> None:
    """Lift the halt, with the effects in `found.sentences()`."""
    if found.end_offset is None:
        async with admin_client(_writer(settings, code)) as admin:
            await ensure_agency_topic(admin, code, settings)
    if found.missing:
        await _fill(_writer(settings, code), found)
    # The record there now becomes the one to compare with.
    *_, last = await _ends_and_record(settings, found.topic, found.next_offset - 1)
    appended_ms = None if last is None else last.timestamp
    resume_at = found.deleted_unread.stop
    async with connection.transaction():
        lifted = await connection.fetchval(_SQL["lift_halt"], found.topic, found.next_offset, appended_ms, resume_at)
        if lifted is None:
            raise NothingToRelease(f"the halt of {found.topic} was lifted by another command.")
        await add_to_trail(connection, "registrar unhalt", code, "--yes")


async def acknowledge(connection: Connection, indexes: Sequence[int] | None, note: str) -> list[int]:
    """End the alarms of these refused events of the platform, or of all that have one, and return their indexes.

    Raises `NothingToRelease` where nothing was refused at one of them: then none is acknowledged.
    """
    async with connection.transaction():
        if indexes is None:
            rows = await connection.fetch(_SQL["acknowledge_all"], note)
        else:
            rows = await connection.fetch(_SQL["acknowledge"], indexes, note)
        released = sorted(index for (index,) in rows)
        for index in set(indexes or ()).difference(released):
            raise NothingToRelease(
                f"No event of the platform was refused at {index}: see `yesser refusals show {index}`."
            )
        if released:
            words = map(str, released) if indexes is not None else ["--all", f"({len(released)})"]
            await add_to_trail(connection, "registrar acknowledge", *words)
    return released


async def _ends_and_record(settings: Settings, topic: str, offset: int) -> tuple[int | None, int | None, Any]:
    """The topic's first and end offset (None: it does not exist), and the record at this offset, if any."""
    async with consuming(settings) as consumer:
        end = (await ends_of_existing(consumer, [topic])).get(topic)
        if end is None:
            return None, None, None
        partition = TopicPartition(topic, 0)
        first: int = (await consumer.beginning_offsets([partition]))[partition]
        if not first <= offset < end:
            return first, end, None
        consumer.assign([partition])
        consumer.seek(partition, offset)
        async with asyncio.timeout(_ANSWER_S):
            return first, end, await consumer.getone(partition)


def _writer(settings: Settings, code: str) -> Settings:
    """Only the relay may write as the platform."""
    return settings.acting_as("relay" if code == PLATFORM else "operator")


async def _fill(settings: Settings, found: Halted) -> None:
    """Write empty records up to the registrar's position."""
    async with producing(settings) as producer:
        end = found.missing.start
        while end < found.next_offset:
            count = min(_FILLED_AT_ONCE, found.next_offset - end)
            sent = [await acknowledged(producer.send(found.topic, None, b"", partition=0)) for _ in range(count)]
            # The offset of the last one: another producer may write too.
            end = max([(await acknowledged(record)).offset for record in sent]) + 1


async def _until_read_as_usual(connection: Connection, topic: str, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            while await connection.fetchval(_SQL["is_paused"], topic):  # noqa: ASYNC110 - another process is waited for
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise NotReleased(NotReleased.__doc__) from None
