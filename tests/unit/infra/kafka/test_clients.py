"""Starting and stopping a client never raises the library's own errors in the caller."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

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


class Connection:
    """A client's connection, of which only the end matters."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def close(self, reason: object = None) -> asyncio.Future[None]:
        if not self.closed.done():
            self.closed.set_result(None)
        return self.closed


def connected_producer() -> tuple[AIOKafkaProducer, Connection]:
    """A producer of the library that has a connection and was never started."""
    producer, connection = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1", **PRODUCER_DURABLE), Connection()
    producer.client._conns[("0", 0)] = connection
    return producer, connection


async def test_a_producer_whose_sender_has_not_run_yet_is_let_go_without_an_error() -> None:
    for _ in range(3):
        producer, connection = connected_producer()
        producer._sender._sender_task = asyncio.create_task(producer._sender._sender_routine())
        await abort_producer(producer)
        assert connection.closed.done()


async def test_a_producer_whose_metadata_task_has_failed_is_let_go_with_all_its_connections() -> None:
    async def fail() -> None:
        raise RuntimeError("the handler is closed")

    producer, connection = connected_producer()
    producer.client._sync_task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await abort_producer(producer)
    assert connection.closed.done()


async def test_a_sender_that_does_not_end_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if done.is_set():
                    raise

    done = asyncio.Event()
    monkeypatch.setattr(clients, "STOP_TIMEOUT_S", 0.05)
    producer, connection = connected_producer()
    task = producer._sender._sender_task = asyncio.create_task(never())
    await asyncio.sleep(0)
    await abort_producer(producer)
    assert connection.closed.done()
    done.set()
    task.cancel()
    await asyncio.wait([task])


async def test_a_start_that_works_has_no_error() -> None:
    assert await start_error(asyncio.sleep(0), 10) is None


async def test_what_a_start_fails_with_is_told() -> None:
    async def fail(error: BaseException) -> None:
        raise error

    error = RuntimeError("the handler is closed")
    assert await start_error(fail(error), 10) is error
    assert isinstance(await start_error(fail(asyncio.CancelledError()), 10), NotStarted)


async def test_a_start_that_does_not_end_even_when_it_is_cancelled_is_left_after_its_time() -> None:
    ended = asyncio.Event()

    async def never() -> None:
        while not ended.is_set():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    assert isinstance(await start_error(never(), 0.01), TimeoutError)
    ended.set()


async def test_a_cancellation_from_outside_ends_the_start_and_the_one_who_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    async def start() -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("ended")

    monkeypatch.setattr(clients, "_CANCEL_TIMEOUT_S", 0.05)
    task = asyncio.create_task(start_error(start(), 10))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert seen == ["ended"]


async def test_a_start_that_is_nearly_done_ends_by_itself_before_a_cancellation() -> None:
    seen: list[str] = []

    async def start() -> None:
        await asyncio.sleep(0.05)
        seen.append("started")

    task = asyncio.create_task(start_error(start(), 10))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["started"]


@pytest.mark.parametrize("error", [RuntimeError("the handler is closed"), AttributeError(), asyncio.CancelledError()])
async def test_whatever_the_library_ends_a_start_with_is_an_error_that_may_pass(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise error

    producer, _ = connected_producer()
    monkeypatch.setattr(producer, "start", fail)
    with pytest.raises(NotStarted):
        await start_client(producer)
    await abort_producer(producer)


async def test_an_error_of_kafka_at_a_start_is_raised_as_it_is() -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(KafkaConnectionError):
        await start_client(consumer)
    await consumer.stop()


async def test_what_is_never_acknowledged_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SEND_TIMEOUT_S", 0.01)
    with pytest.raises(NotAcknowledged):
        await acknowledged(asyncio.get_running_loop().create_future())
    assert await acknowledged(asyncio.sleep(0, 7)) == 7


@pytest.mark.parametrize("ended", ["_sync_task", "_fetch_task"])
async def test_a_consumer_that_lost_a_task_of_its_own_is_noticed(ended: str) -> None:
    tasks = {name: asyncio.get_running_loop().create_future() for name in ("_sync_task", "_fetch_task")}
    consumer: Any = SimpleNamespace(
        _client=SimpleNamespace(_sync_task=tasks["_sync_task"]),
        _fetcher=SimpleNamespace(_fetch_task=tasks["_fetch_task"]),
    )
    require_running(consumer)
    tasks[ended].cancel()
    with pytest.raises(ClientEnded):
        require_running(consumer)
