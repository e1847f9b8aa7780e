"""Producers of durable batches, for the gateway and for an agency's own publisher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiokafka import AIOKafkaProducer

from infra.kafka.client_config import PRODUCER_DURABLE, ClientArguments
from infra.kafka.clients import NotStarted, abort_producer, start_error, trust_refusal

BATCH_BYTES_MAX: Final = 126_976
"""Below the topic's `max.message.bytes` of 131,072, which the broker compares with whole batches."""


async def started_producer(
    make: Callable[..., AIOKafkaProducer], arguments: ClientArguments, client_id: str, timeout_s: float
) -> AIOKafkaProducer | Exception:
    """The producer, or why it did not start: `NotTrusted` where that was the broker's certificate."""
    producer = make(**arguments, **PRODUCER_DURABLE, client_id=client_id, max_batch_size=BATCH_BYTES_MAX)
    failed: Exception | None = NotStarted()
    try:
        failed = await start_error(producer.start(), timeout_s)
    finally:
        if failed is not None:
            await abort_producer(producer)
    if failed is None:
        return producer
    return trust_refusal(arguments.get("ssl_context")) or failed
