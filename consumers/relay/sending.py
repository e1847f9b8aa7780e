"""Sends messages to a topic in record batches, one acknowledged before the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from consumers.relay.outbox_source import Message
from infra.kafka.clients import acknowledged, send_batch

BATCH_BYTES_MAX: Final = 100_000
"""Largest record batch: an agency's topic accepts 131,072 bytes."""


async def send(producer: AIOKafkaProducer, topic: str, messages: Sequence[Message]) -> None:
    """Send in order; returns when the last one is acknowledged. An error leaves the outcome of the rest unknown."""
    batch = producer.create_batch()
    for message in messages:
        fields = {"key": message.key, "value": message.value, "headers": list(message.headers), "timestamp": None}
        if batch.append(**fields) is None:
            await _deliver(producer, topic, batch)
            batch = producer.create_batch()
            batch.append(**fields)
    await _deliver(producer, topic, batch)


async def _deliver(producer: AIOKafkaProducer, topic: str, batch: Any) -> None:
    await acknowledged(await acknowledged(send_batch(producer, batch, topic)))
