"""Starting and stopping a client never raises the library's own errors in the caller."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from infra.kafka import clients
from infra.kafka.client_config import PRODUCER_DURABLE
from infra.kafka.clients import (
    ClientEnded,
    NotAcknowledged,
    NotStarted,
    abort_producer,
    acknowledged,
    require_running,
    start_client,
    start_error,
)
from tests.every import every
from tests.virtual_time import virtual

HANDLER_CLOSED = RuntimeError("the handler is closed")


def connected_producer() -> tuple[AIOKafkaProducer, Mock]:
    """A producer of the library that was never started, and the closing of its only connection."""
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1", **PRODUCER_DURABLE)
    closed = asyncio.get_running_loop().create_future()
    closed.set_result(None)
    connection = Mock(**{"close.return_value": closed})
    producer.client._conns[("0", 0)] = connection
    return producer, connection.close


async def fail(error: BaseException) -> None:
    raise error


class Endless:
    """Work that no cancellation ends, until it may."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()

    async def run(self) -> None:
        while not self.may_end.is_set():
            with suppress(asyncio.CancelledError):
                await self.may_end.wait()


@virtual
async def test_a_producer_is_let_go_whatever_its_sender_and_metadata_do(monkeypatch: pytest.MonkeyPatch) -> None:
    producer, close = connected_producer()
    producer._sender._sender_task = asyncio.create_task(producer._sender._sender_routine())
    await abort_producer(producer)
    assert close.called, "the sender has not run yet"

    producer, close = connected_producer()
    producer.client._sync_task = asyncio.create_task(fail(HANDLER_CLOSED))
    await asyncio.sleep(0)
    await abort_producer(producer)
    assert close.called, "the metadata task has failed"

    monkeypatch.setattr(clients, "STOP_TIMEOUT_S", 0.05)
    producer, close = connected_producer()
    sender = Endless()
    task = producer._sender._sender_task = asyncio.create_task(sender.run())
    await asyncio.sleep(0)
    await abort_producer(producer)
    assert close.called, "the sender does not end"
    sender.may_end.set()
    await task


@virtual
async def test_what_a_start_fails_with_is_told_and_one_that_never_ends_is_left_after_its_time() -> None:
    assert await start_error(asyncio.sleep(0), 10) is None
    assert await start_error(fail(HANDLER_CLOSED), 10) is HANDLER_CLOSED
    assert isinstance(await start_error(fail(asyncio.CancelledError()), 10), NotStarted)
    work = Endless()
    assert isinstance(await start_error(work.run(), 0.01), TimeoutError)
    work.may_end.set()


@every(("lasts_s", "seen"), [(0.05, "started"), (60.0, "ended")])
@virtual
async def test_a_start_that_is_nearly_done_ends_by_itself_before_a_cancellation_from_outside_ends_it(
    monkeypatch: pytest.MonkeyPatch, lasts_s: float, seen: str
) -> None:
    found: list[str] = []

    async def start() -> None:
        try:
            await asyncio.sleep(lasts_s)
            found.append("started")
        except asyncio.CancelledError:
            found.append("ended")
            raise

    monkeypatch.setattr(clients, "_CANCEL_TIMEOUT_S", 2.0 if seen == "started" else 0.05)
    task = asyncio.create_task(start_error(start(), 10))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert found == [seen]


@every("error", [HANDLER_CLOSED, AttributeError(), asyncio.CancelledError()])
@virtual
async def test_whatever_the_library_ends_a_start_with_is_an_error_that_may_pass(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer, _ = connected_producer()
    monkeypatch.setattr(producer, "start", AsyncMock(side_effect=error))
    with pytest.raises(NotStarted):
        await start_client(producer)
    await abort_producer(producer)


@virtual
async def test_an_error_of_kafka_at_a_start_is_raised_as_it_is_and_what_is_never_acknowledged_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(KafkaConnectionError):
        await start_client(consumer)
    await consumer.stop()
    assert await acknowledged(asyncio.sleep(0, 7)) == 7
    monkeypatch.setattr(clients, "SEND_TIMEOUT_S", 0.01)
    with pytest.raises(NotAcknowledged):
        await acknowledged(asyncio.get_running_loop().create_future())


@every("ended", ["_sync_task", "_fetch_task"])
@virtual
async def test_a_consumer_that_lost_a_task_of_its_own_is_noticed(ended: str) -> None:
    tasks = {name: asyncio.get_running_loop().create_future() for name in ("_sync_task", "_fetch_task")}
    parts = SimpleNamespace(**tasks)
    consumer: Any = SimpleNamespace(_client=parts, _fetcher=parts)
    require_running(consumer)
    tasks[ended].cancel()
    with pytest.raises(ClientEnded):
        require_running(consumer)
