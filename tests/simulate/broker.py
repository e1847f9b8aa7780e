"""A Kafka broker in memory, under the real client library: its connections end here instead of at a socket.

It speaks the six requests that the code under test sends, and keeps topics of one partition as record batches, byte by
byte as the library wrote them, with offsets and append times. Like a broker it answers the requests of one connection
in their order, lets a fetch wait for records, and recognises an idempotent batch that comes twice. It has neither
transactions, groups nor compaction: nothing here relies on them. `test_broker.py` holds it against the real one.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiokafka.client
import pytest
from aiokafka.conn import CloseReason
from aiokafka.errors import (
    KafkaConnectionError,
    OffsetOutOfRangeError,
    OutOfOrderSequenceNumber,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)
from aiokafka.record.util import calc_crc32c

NODE: Final = 1
VERSIONS: Final = {0: (0, 7), 1: (0, 4), 2: (0, 3), 3: (0, 5), 19: (1, 1), 22: (0, 0)}
NAMES: Final = {0: "produce", 1: "fetch", 2: "offsets", 3: "metadata", 19: "create", 22: "producer"}
LATEST: Final = -1
_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
_LENGTH_BEFORE: Final = 12
_CHECKED_FROM: Final = 21
_LOG_APPEND_TIME: Final = 0x08
_NO_LEADER_EPOCH: Final = -1
_BATCHES_KNOWN: Final = 5
"""Batches of a producer that a broker recognises."""

Send = Callable[["Line", str, list[str], Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Sends a request (its name, and topics) by the call that is given."""


@dataclass(slots=True)
class Topic:
    """One partition: (first offset, batch) in order, and what each producer wrote last."""

    batches: list[tuple[int, bytes]] = field(default_factory=list)
    end: int = 0
    produced: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    """Producer → its last batches: first sequence number → (offset, sequence number behind the batch)."""

    def copy(self) -> Topic:
        return Topic(list(self.batches), self.end, {pid: dict(known) for pid, known in self.produced.items()})


async def plainly(_: Line, __: str, ___: list[str], call: Callable[[], Awaitable[Any]]) -> Any:
    """Without a fault."""
    return await call()


class Broker:
    """The topics, and the connections to them. `send` may do to a request what a network does."""

    def __init__(self, send: Send = plainly) -> None:
        self.topics: dict[str, Topic] = {}
        self.send = send
        self._next_producer = 0
        self._arrived = asyncio.Event()

    @contextmanager
    def serving(self) -> Iterator[Broker]:
        """The client library's connections end here in this block."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(aiokafka.client, "create_conn", self._connect)
            yield self

    def create(self, *names: str) -> None:
        """Create topics."""
        for name in names:
            self.topics.setdefault(name, Topic())

    async def _connect(
        self, host: str, port: int, *, request_timeout_ms: int, on_close: Any = None, **_: object
    ) -> Line:
        line = Line(self, host, port, request_timeout_ms / 1000, on_close)
        # A connection is a request of its own: it can be refused.
        await self.send(line, "connect", [], line.opened)
        return line

    async def answer(self, request: Any) -> Any:
        """The response to a prepared request."""
        fields = await {
            0: self._produce,
            1: self._fetch,
            2: self._offsets,
            3: self._metadata,
            19: self._create,
            22: self._producer,
        }[request.API_KEY](request)
        response = request.RESPONSE_TYPE
        return response.decode(response(*fields).encode())

    async def _metadata(self, request: Any) -> list[Any]:
        wanted = request.topics if request.topics is not None else [*self.topics]
        topics: list[Any] = [
            (0, name, False, [(0, 0, NODE, [NODE], [NODE], [])])
            if name in self.topics
            else (UnknownTopicOrPartitionError.errno, name, False, [])
            for name in wanted
        ]
        return [0, [(NODE, "127.0.0.1", 9092, None)], "simulated", NODE, topics]

    async def _create(self, request: Any) -> list[Any]:
        names = [name for name, *_ in request.create_topic_requests]
        topics = [(name, TopicAlreadyExistsError.errno if name in self.topics else 0, None) for name in names]
        self.create(*names)
        return [topics]

    async def _producer(self, _: Any) -> list[Any]:
        self._next_producer += 1
        return [0, 0, self._next_producer, 0]

    async def _offsets(self, request: Any) -> list[Any]:
        topics: list[Any] = []
        for name, [(_, timestamp)] in request.topics:
            if (topic := self.topics.get(name)) is None:
                topics.append((name, [(0, UnknownTopicOrPartitionError.errno, -1, -1)]))
            else:
                topics.append((name, [(0, 0, -1, topic.end if timestamp == LATEST else 0)]))
        return [0, topics]

    async def _produce(self, request: Any) -> list[Any]:
        topics = []
        for name, [(_, data)] in request.topics:
            now_ms = int(time.time() * 1000)
            if name not in self.topics:
                answer = (0, UnknownTopicOrPartitionError.errno, -1, -1, -1)
            else:
                answer = self._append(self.topics[name], bytearray(data), now_ms)
            topics.append((name, [answer]))
        self._arrived.set()
        self._arrived = asyncio.Event()
        return [topics, 0]

    def _append(self, topic: Topic, batch: bytearray, now_ms: int) -> tuple[int, int, int, int, int]:
        """(partition, error code, first offset, append time, start of the topic)"""
        parts = list(_HEADER.unpack_from(batch))
        producer, first, count = parts[9], parts[11], parts[12]
        if producer >= 0:
            known = topic.produced.setdefault(producer, {})
            if first in known:
                return 0, 0, known[first][0], now_ms, 0
            if known and max(end for _, end in known.values()) != first:
                return 0, OutOfOrderSequenceNumber.errno, -1, -1, 0
            known[first] = (topic.end, first + count)
            if len(known) > _BATCHES_KNOWN:
                del known[min(known)]
        parts[0], parts[2] = topic.end, 0
        parts[5] |= _LOG_APPEND_TIME
        parts[8] = now_ms
        _HEADER.pack_into(batch, 0, *parts)
        parts[4] = calc_crc32c(bytes(batch[_CHECKED_FROM:]))
        _HEADER.pack_into(batch, 0, *parts)
        topic.batches.append((topic.end, bytes(batch)))
        topic.end += count
        return 0, 0, parts[0], now_ms, 0

    async def _fetch(self, request: Any) -> list[Any]:
        loop = asyncio.get_running_loop()
        until = loop.time() + request.max_wait_time / 1000
        while True:
            arrived = self._arrived
            topics = [(name, [self._fetched(name, *wanted) for wanted in parts]) for name, parts in request.topics]
            ready = any(part[1] or part[5] for _, parts in topics for part in parts)
            if ready or loop.time() >= until:
                return [0, topics]
            try:
                async with asyncio.timeout_at(until):
                    await arrived.wait()
            except TimeoutError:
                continue

    def _fetched(self, name: str, partition: int, offset: int, bytes_max: int) -> tuple[Any, ...]:
        """(partition, error code, end, end of what is stable, aborted transactions, batches)"""
        topic = self.topics.get(name)
        if topic is None:
            return partition, UnknownTopicOrPartitionError.errno, -1, -1, [], b""
        if offset > topic.end:
            return partition, OffsetOutOfRangeError.errno, topic.end, topic.end, [], b""
        found = b""
        for first, batch in topic.batches:
            if first + _HEADER.unpack_from(batch)[12] > offset:
                if found and len(found) + len(batch) > bytes_max:
                    break
                found += batch
        return partition, 0, topic.end, topic.end, [], found


class Line:
    """A connection, as the client library sees it."""

    def __init__(self, broker: Broker, host: str, port: int, timeout_s: float, on_close: Any) -> None:
        self.broker, self.host, self.port = broker, host, port
        self._timeout_s, self._on_close = timeout_s, on_close
        self._open = True
        self._turn = asyncio.Lock()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def opened(self) -> None:
        """The connection stands."""

    def connected(self) -> bool:
        return self._open

    def close(self, reason: CloseReason | None = None, exc: BaseException | None = None) -> asyncio.Future[None]:
        if self._open:
            self._open = False
            self._closed.set_result(None)
            if self._on_close is not None:
                self._on_close(self, reason)
        return self._closed

    def cut(self) -> KafkaConnectionError:
        """The connection is lost; the error for the request under way."""
        self.close(CloseReason.CONNECTION_BROKEN)
        return KafkaConnectionError(f"Connection at {self.host}:{self.port} closed")

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        if not self._open:
            raise KafkaConnectionError(f"No connection to broker at {self.host}:{self.port}")
        return asyncio.wait_for(self._answer(request.prepare(VERSIONS)), self._timeout_s)

    async def _answer(self, request: Any) -> Any:
        name = NAMES[request.API_KEY]
        asked = getattr(request, "create_topic_requests" if name == "create" else "topics", None)
        topics = [t if isinstance(t, str) else t[0] for t in asked or []]
        async with self._turn:
            answering = asyncio.ensure_future(self.broker.send(self, name, topics, lambda: self.broker.answer(request)))
            try:
                await asyncio.wait([answering, self._closed], return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    raise KafkaConnectionError(f"Connection at {self.host}:{self.port} closed")
                return await answering
            finally:
                answering.cancel()
