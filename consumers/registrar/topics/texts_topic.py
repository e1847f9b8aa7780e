"""The topic of free texts: what a recovery needs besides the entries, which have only the hashes of their texts.

A record's key is `<index>/<member>`, its value the text with its hash and its salt, as mirrors have it. The topic is
compacted: a record without a value deletes a text that is withheld. The broker compacts closed segments only, and a
segment is closed by the first record after its time. So the registrar deletes again, at each take-over and every few
hours, what is withheld; that also deletes what a former owner of the lease has sent too late.

Flows in: texts and what is withheld, in the order of the log. Flows out: records, and what a recovery finds of them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from consumers.registrar.raw_record_reader import CorruptBatch, fetch_records
from events.errors import Retry
from events.wire.texts import Text, text_sha256
from infra.kafka.clients import acknowledged, consuming, send_batch
from infra.kafka.end_offsets import ends_of_existing
from infra.log.ports.bundle_texts import BundleText, TextKey
from infra.settings import Settings

FETCH_BYTES_MAX: Final = 4 << 20


class Behind(Retry):
    """A topic holds less than was acknowledged: it lost its tail or was created again."""


class TextRecord(NamedTuple):
    """A record of the topic; without a value it deletes the text."""

    key: bytes
    value: bytes | None


_KEY: Final = re.compile(rb"([0-9]{1,18})/([a-z_]{1,64})")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(BundleText).decode


def text_record(index: int, text: Text) -> TextRecord:
    """The record of a text of the entry at `index`."""
    sha256, salt, written = text.sha256.hex(), text.salt.hex(), text.written.decode()
    value = BundleText(index=index, member=text.member, sha256=sha256, salt=salt, text=written)
    return TextRecord(_key(index, text.member), _encode(value))


def no_text(index: int, member: str) -> TextRecord:
    """The record that deletes a text."""
    return TextRecord(_key(index, member), None)


def text_key(record: TextRecord) -> TextKey | None:
    """Whose text a record is, or deletes; None where the registrar did not write it."""
    found = _KEY.fullmatch(record.key)
    return None if found is None else (int(found[1]), found[2].decode())


def text_of(value: bytes) -> Text | None:
    """The text in a record; None where it does not give the hash that the record says, or is no text."""
    try:
        return checked_text(_decode(value))
    except msgspec.MsgspecError:
        return None


def checked_text(record: BundleText) -> Text | None:
    """The text with its salt; None where it does not give the hash that the record says, or is no text."""
    try:
        written, salt = record.text.encode(), bytes.fromhex(record.salt or "")
        sha256 = text_sha256(salt, written)
    except ValueError:
        return None
    return Text(record.member, written, salt, sha256) if sha256.hex() == record.sha256 else None


def _append(builder: Any, record: TextRecord) -> bool:
    """Add a record to a batch; False if it is full."""
    return builder.append(timestamp=None, key=record.key, value=record.value) is not None


def _key(index: int, member: str) -> bytes:
    return f"{index}/{member}".encode()


class TextsTopic:
    """Writes the topic for one owner. `end` is the offset behind the last acknowledged record."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.texts_topic
        self.end = 0

    async def send(self, producer: AIOKafkaProducer, records: Sequence[TextRecord]) -> None:
        """Write the records in order; all are acknowledged when this returns. Raises `Behind`."""
        first = 0
        while first < len(records):
            builder, at = producer.create_batch(), first
            while at < len(records) and _append(builder, records[at]):
                at += 1
            builder.close()
            metadata = await acknowledged(await acknowledged(send_batch(producer, builder, self.name)))
            if metadata.offset < self.end:
                raise Behind(f"{self.name} counts its offsets from 0 again: it was created again")
            self.end, first = metadata.offset + at - first, at


async def read_end(settings: Settings) -> int:
    """The topic's end offset. Raises `UnknownTopicOrPartitionError` where it does not exist."""
    async with consuming(settings) as consumer:
        end = (await ends_of_existing(consumer, [settings.texts_topic])).get(settings.texts_topic)
    if end is None:
        raise UnknownTopicOrPartitionError(f"{settings.texts_topic} does not exist: it is made, and all texts are sent")
    return end


async def read_texts(settings: Settings) -> AsyncIterator[list[TextRecord]]:
    """All records, in order; none where the topic does not exist. Raises `CorruptBatch`."""
    async with consuming(settings) as consumer:
        partition = TopicPartition(settings.texts_topic, 0)
        end = (await ends_of_existing(consumer, [partition.topic])).get(partition.topic, 0)
        offset = (await consumer.beginning_offsets([partition]))[partition] if end else 0
        while offset < end:
            try:
                records = await fetch_records(consumer, partition, offset, FETCH_BYTES_MAX)
            except CorruptBatch as error:
                raise CorruptBatch(f"{partition.topic}: {error}; see docs/runbook.md") from error
            # Behind the last record there may be offsets whose records were compacted away.
            offset = records[-1].offset + 1 if records else end
            yield [TextRecord(record.key or b"", record.value) for record in records]
