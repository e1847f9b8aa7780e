"""A gateway that runs on the real Kafka and the real PostgreSQL, and a client of it, for tests of what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from infra.http.callers import Kind
from infra.kafka.admin import admin_client, ensure_agency_topic
from infra.kafka.client_config import agency_topic
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.tokens import NewToken, TokenRequest, create_token, hash_key
from producers.gateway.process import Gateway
from tests.unit.events.samples import encoded, initiative
from tests.world.topics import records
from tests.world.waits import until

STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
REGISTER = "INSERT INTO platform.agency (code, role, name, registered_index) VALUES ($1, $2, '{}', 0)"


@dataclass(frozen=True)
class GatewayHarness:
    """A running gateway, and agency `health` with its token."""

    settings: Settings
    gateway: Gateway
    client: httpx.AsyncClient
    connection: Connection
    token: NewToken

    async def send(self, body: bytes, headers: Mapping[str, str] = STRUCTURED, query: str = "") -> httpx.Response:
        return await self.client.post(f"/v1/events{query}", content=body, headers=dict(headers))

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def another(self, kind: Kind, holder: str) -> dict[str, str]:
        """The headers of another holder's token."""
        partners = (f"health/{holder}",) if kind == "partner" else ()
        asked = TokenRequest(kind, holder, 1, partners=partners)
        made = await create_token(self.connection, hash_key(self.settings), asked)
        return bearer(made.token)

    async def stored(self, agency: str = "health") -> list[bytes]:
        """What is in an agency's topic."""
        return [record.value for record in await records(self.settings, agency_topic(agency))]


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def event(number: int, **changes: Any) -> dict[str, Any]:
    return initiative(id=f"e-{number}", **changes)


def batch(*events: dict[str, Any]) -> bytes:
    return b"[" + b",".join(map(encoded, events)) + b"]"


@asynccontextmanager
async def run_gateway(settings: Settings, connection: Connection, **changes: object) -> AsyncIterator[GatewayHarness]:
    """The gateway with two agencies that the log is said to know. `changes` are further settings of it."""
    async with admin_client(settings) as admin:
        for code in ("health", "labour"):
            await ensure_agency_topic(admin, code, settings)
    for code, role in (("platform", "platform"), ("yesser", "office"), ("health", "agency"), ("labour", "agency")):
        await connection.execute(REGISTER, code, role)
    quick = settings.model_copy(
        update={
            "gateway_port": 0,
            "gateway_token_cache_ms": 50,
            "gateway_head_timeout_s": 0.5,
            "gateway_body_timeout_s": 1.0,
            "gateway_stuck_s": 1.0,
            **changes,
        }
    )
    gateway, stop = Gateway(quick, now), asyncio.Event()
    task = asyncio.create_task(gateway.run(stop))
    await until(ready(gateway), "the gateway is ready")
    token = await create_token(connection, hash_key(settings), TokenRequest("agency", "health", 1))
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{gateway.port}", headers=bearer(token.token), timeout=30, trust_env=False
        ) as client:
            yield GatewayHarness(quick, gateway, client, connection, token)
    finally:
        stop.set()
        await task


def ready(gateway: Gateway) -> Callable[[], Awaitable[bool]]:
    async def is_ready() -> bool:
        return gateway.readiness().ready

    return is_ready


def now() -> datetime:
    return datetime.now(UTC)
