"""A gateway as a process of its own, and clients from another address that misuse it while an agency sends events."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx
import psutil

from infra.embedded.servers.ports import choose
from infra.kafka.admin import admin_client, ensure_agency_topic
from infra.postgres.connection import connected
from infra.process.subprocess_command import subprocess_command, subprocess_environment
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.world.events import encoded
from tests.world.senders import REGISTER, STRUCTURED, bearer, event
from tests.world.waits import until

GATEWAY_HOST = "127.0.0.1"
OTHER_PEER = "127.0.0.2"
EVENT_EVERY_S = 0.05
PATIENCE_S = 60.0
STOP_S = 30.0
COUNT_EVERY_S = 0.25
"""Counting thousands of connections takes a processor that the gateway needs."""
ESTABLISHED = (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT)


@dataclass
class Traffic:
    """What an agency was answered, and how long it waited for each answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    waits_s: list[float] = field(default_factory=list)

    @property
    def slowest_s(self) -> float:
        return max(self.waits_s)


@dataclass(frozen=True)
class GatewayProcess:
    """A running gateway, and agency `health` with its token."""

    settings: Settings
    process: psutil.Process
    token: str

    @property
    def address(self) -> str:
        return f"http://{GATEWAY_HOST}:{self.settings.gateway_port}"

    @property
    def memory_mib(self) -> float:
        return float(self.process.memory_info().rss / 2**20)

    async def metric(self, name: str) -> float:
        """The value of a metric; 0 while the process has not set it."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            text = (await client.get(f"http://{GATEWAY_HOST}:{self.settings.health_port}/metrics")).text
        rows = [line.split() for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(rows[0][1]) if rows else 0.0

    async def peer_connections(self) -> int:
        """Connections of the other peer that the gateway has open."""
        found = await asyncio.to_thread(self.process.net_connections, "tcp")
        return sum(bool(one.raddr) and one.raddr.ip == OTHER_PEER and one.status in ESTABLISHED for one in found)

    async def until_at_most(self, connections: int, patience_s: float) -> None:
        """Wait until the other peer has no more than these."""

        async def is_reached() -> bool:
            return await self.peer_connections() <= connections

        what = f"the other peer has at most {connections} connections"
        await until(is_reached, what, patience_s, every_s=COUNT_EVERY_S)

    @asynccontextmanager
    async def agency_sending(self) -> AsyncIterator[Traffic]:
        """Meanwhile the agency sends one event after the other, each over a connection of its own.

        The first one is not counted: the gateway opens its connections for it.
        """
        traffic, stop = Traffic(), asyncio.Event()
        headers = {**STRUCTURED, **bearer(self.token), "connection": "close"}

        async def send(client: httpx.AsyncClient) -> None:
            for number in count(1):
                if stop.is_set():
                    return
                started = time.perf_counter()
                answer = await client.post("/v1/events", content=encoded(event(number)), headers=headers)
                traffic.statuses[answer.status_code] += 1
                traffic.waits_s.append(time.perf_counter() - started)
                await asyncio.sleep(EVENT_EVERY_S)

        # One client for all: making one takes longer than an answer.
        async with httpx.AsyncClient(base_url=self.address, trust_env=False, verify=False, timeout=30) as client:
            first = await client.post("/v1/events", content=encoded(event(0)), headers=headers)
            assert first.status_code == 202
            sending = asyncio.create_task(send(client))
            try:
                yield traffic
            finally:
                stop.set()
                await sending


@asynccontextmanager
async def gateway_process(settings: Settings, **changes: object) -> AsyncIterator[GatewayProcess]:
    """`yesser run gateway` with an agency that the log is said to know."""
    async with admin_client(settings) as admin, connected(settings, "test") as connection:
        await ensure_agency_topic(admin, "health", settings)
        await connection.execute(REGISTER, "health", "agency")
        made = await create_token(connection, hash_key(settings), TokenRequest("agency", "health", 1))
    port, health_port = choose([None, None])
    settings = settings.model_copy(
        update={"gateway_port": port, "health_port": health_port, "log_level": "error", **changes}
    )
    command = subprocess_command("run", "gateway")
    child = await asyncio.create_subprocess_exec(*command, env=subprocess_environment(settings))

    async def is_ready() -> bool:
        assert child.returncode is None, "the gateway ended"
        try:
            async with httpx.AsyncClient(trust_env=False, verify=False) as client:
                return (await client.get(f"http://{GATEWAY_HOST}:{health_port}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    try:
        await until(is_ready, "the gateway is ready", PATIENCE_S)
        yield GatewayProcess(settings, psutil.Process(child.pid), made.token)
    finally:
        if child.returncode is None:
            child.terminate()
        async with asyncio.timeout(STOP_S):
            await child.wait()


@asynccontextmanager
async def sockets(gateway: GatewayProcess, number: int) -> AsyncIterator[list[socket.socket]]:
    """Connections of the other peer. The agency's client goes on meanwhile."""
    opened: list[socket.socket] = []

    def connect() -> None:
        for _ in range(number):
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            opened.append(one)
            one.bind((OTHER_PEER, 0))
            one.connect((GATEWAY_HOST, gateway.settings.gateway_port))

    try:
        await asyncio.to_thread(connect)
        yield opened
    finally:
        for one in opened:
            one.close()


async def other_peer(gateway: GatewayProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """One connection of the other peer."""
    return await asyncio.open_connection(GATEWAY_HOST, gateway.settings.gateway_port, local_addr=(OTHER_PEER, 0))
