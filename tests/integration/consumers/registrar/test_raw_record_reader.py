"""A header whose name is not UTF-8 stops the client library; it must not stop the national log."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record._crc32c import crc as crc32c

from infra.kafka.client_config import agency_topic, client_arguments
from infra.principals import SUPERUSER
from infra.settings import Settings
from tests.world.registrars import reading
from tests.world.topics import make_topics

GOOD = ("content-type", b"application/cloudevents+json; charset=UTF-8")


async def publish_with_a_broken_name(settings: Settings, topic: str, values: list[bytes], broken: int) -> None:
    """Send `values`; in the batch's bytes the header name `ce_zz` of the record `broken` becomes `ce_\\xff\\xfe`."""
    producer = AIOKafkaProducer(**client_arguments(settings.acting_as(SUPERUSER)), acks="all", enable_idempotence=False)
    await producer.start()
    try:
        builder = producer.create_batch()
        for number, value in enumerate(values):
            headers = [GOOD, ("ce_zz", b"1")] if number == broken else [GOOD]
            builder.append(key=None, value=value, timestamp=None, headers=headers)
        builder.close()
        if broken >= 0:
            _spoil(builder)
        await (await producer.send_batch(builder, topic, partition=0))
    finally:
        await producer.stop()


def _spoil(builder: object) -> None:
    buffer = bytearray(builder._build())  # type: ignore[attr-defined]
    at = buffer.index(b"ce_zz")
    buffer[at : at + 5] = b"ce_\xff\xfe"
    buffer[17:21] = crc32c(bytes(buffer[21:])).to_bytes(4, "big")
    builder._buffer = buffer  # type: ignore[attr-defined]


async def test_a_broken_header_name_is_read_as_bytes_and_the_reader_goes_on_everywhere(settings: Settings) -> None:
    topics = [agency_topic("health"), agency_topic("justice")]
    await make_topics(settings, "health", "justice")
    await publish_with_a_broken_name(settings, topics[0], [b"a", b"b", b"c"], broken=1)
    await publish_with_a_broken_name(settings, topics[1], [b"k", b"l"], broken=-1)
    await publish_with_a_broken_name(settings, topics[0], [b"d", b"e"], broken=-1)
    read: dict[str, list[Any]] = {topic: [] for topic in topics}
    async with reading(settings, *topics) as reader, asyncio.timeout(20):
        while sum(map(len, read.values())) < 7:
            for topic, records in (await reader.read()).items():
                read[topic] += records
    assert read[topics[0]][1].headers == (GOOD, ("ce_\udcff\udcfe", b"1"))
    assert {topic: [(r.offset, r.value) for r in records] for topic, records in read.items()} == {
        topics[0]: [(0, b"a"), (1, b"b"), (2, b"c"), (3, b"d"), (4, b"e")],
        topics[1]: [(0, b"k"), (1, b"l")],
    }
