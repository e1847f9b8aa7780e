"""Many webhooks at once: messages as the router writes them, a receiver that only counts, and processor time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import psutil

from consumers.delivery.queue import Queue
from consumers.delivery.routing.matching import CampaignEntry, Subscription, new_messages
from consumers.delivery.routing.router import add_messages
from events.schema_tools.refusal_examples import golden_example
from events.wire.entry import entry_bytes
from infra.postgres.connection import Connection
from infra.process.subprocess_command import subprocess_command
from tests.world.logs import write_log

_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass(slots=True)
class Counted:
    """What a counting receiver got: when each id came first at each path, and how often in all."""

    first: dict[tuple[str, str], float] = field(default_factory=dict)
    requests: int = 0

    async def until(self, number: int, timeout_s: float) -> None:
        """Wait until so many different ones have come."""
        async with asyncio.timeout(timeout_s):
            while len(self.first) < number:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


class _Counting(asyncio.Protocol):
    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            lower = head.lower()
            length = int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if not end or len(rest) < length:
                return
            self._buffer = rest[length:]
            path = head.split(b" ", 2)[1].decode()
            webhook_id = lower.partition(b"webhook-id: ")[2].partition(b"\r\n")[0].decode()
            self._counted.requests += 1
            self._counted.first.setdefault((path, webhook_id), time.monotonic())
            self._transport.write(_OK)


@asynccontextmanager
async def counting() -> AsyncIterator[tuple[Counted, int]]:
    """A receiver that counts, and its port."""
    counted = Counted()
    server = await asyncio.get_running_loop().create_server(lambda: _Counting(counted), "127.0.0.1", 0, backlog=2_048)
    try:
        yield counted, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def delivery_process(environment: Mapping[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The delivery process as an operator starts it, which ends well unless a test has killed it."""
    with log.open("ab") as lines:
        process = await asyncio.create_subprocess_exec(
            *subprocess_command("run", "delivery"), env=environment, stdout=lines, stderr=lines
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            assert await process.wait() == 0


async def write_triggers(connection: Connection, number: int) -> list[CampaignEntry]:
    """So many triggers of agency health in the log, each about a service of its own."""
    event = orjson.loads(golden_example("campaign.triggered"))
    entries, raw = [], []
    for index in range(number):
        campaign_id = f"service-launched.i{index}"
        data = {**event["data"], "campaign_id": campaign_id, "service_id": f"S{index}", "owner": "health"}
        body = orjson.dumps({**event, "id": f"t{index}", "subject": f"campaign/{campaign_id}", "data": data})
        raw.append(entry_bytes("2026-11-01T08:00:00.000000Z", f"agency.platform.events/0/{index}", body))
        entries.append(
            CampaignEntry(
                index, campaign_id, "campaign.triggered", "health", f"S{index}", "service-launched", ["tv", "radio"]
            )
        )
    await write_log(connection, raw)
    return entries


async def enqueue(connection: Connection, entries: list[CampaignEntry], subscriptions: list[Subscription]) -> int:
    """Messages for all of them, with their jobs, as the router writes them. The number of messages."""
    queue, number = Queue(connection), 0
    for first in range(0, len(entries), 500):
        messages = [*new_messages(entries[first : first + 500], subscriptions)]
        number += len(messages)
        async with connection.transaction():
            await add_messages(connection, queue, messages)
    await connection.execute("ANALYZE delivery.message, delivery.pgqueuer")
    return number


def processor_s(process: psutil.Process | None = None) -> float:
    """Processor time (user and system) of a process; by default this one."""
    times = (process or psutil.Process()).cpu_times()
    return times.user + times.system
