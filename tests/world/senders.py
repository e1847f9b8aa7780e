"""How tests send events: as an agency over Kafka, and through a gateway on the real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httpx
import orjson
from aiokafka import AIOKafkaProducer

from consumers.relay.relay import Relay
from events.faults.model import L
from events.types.awareness import AwarenessInitiativeAnnounced
from infra.event_files.ndjson import Defaults
from infra.http.callers import Kind
from infra.kafka.admin import admin_client, ensure_agency_topic, prepare_cluster
from infra.kafka.client_config import PRODUCER_DURABLE, agency_topic, client_arguments
from infra.kafka.clients import abort_producer, start_client
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.register import NewAgency, add_agencies, prepare
from producers.agencies.tokens import NewToken, TokenRequest, create_token, hash_key
from producers.gateway.process import READ_KEYS_EVERY_S, Gateway
from producers.publisher.job import Sending, send_file
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.over_kafka import wait_for_verdicts
from producers.publisher.report import Progress, Report
from producers.sdk.typed_events import typed_event
from tests.world.events import FIRST_DAY_AHEAD, encoded
from tests.world.events import initiative as sample
from tests.world.registrars import registrar
from tests.world.topics import records
from tests.world.waits import running, until

STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
NAME = '{"ar": "جهة", "en": "Agency"}'
REGISTER = f"INSERT INTO platform.agency (code, role, name, registered_index) VALUES ($1, $2, '{NAME}', 0)"
HEALTH = NewAgency("health", "agency", "وزارة الصحة", "Ministry of Health")
TIME = "2006-01-01T09:00:00+03:00"


def now() -> datetime:
    return datetime.now(UTC)


def announced(event_id: str, initiative: str = "I-1", agency: str = "health", name: str = "Name") -> bytes:
    """An agency's announcement of an initiative."""
    words = L(ar="اسم", en=name)
    data = AwarenessInitiativeAnnounced(initiative_id=initiative, name=words, aim=words, on="2006-01-01")
    return typed_event(agency, data, event_id, TIME)


def initiative(key: str, name: str = "Name") -> dict[str, Any]:
    """The same as a line of a file; its id is the initiative's."""
    event: dict[str, Any] = orjson.loads(announced(key, key, name=name))
    return event


@asynccontextmanager
async def with_health(settings: Settings, connection: Connection) -> AsyncIterator[None]:
    """A log with the platform, the office and agency `health`; the registrar and the relay are at work."""
    await prepare_cluster(settings)
    await prepare(settings)
    async with running(registrar(settings), Relay(settings)):
        await add_agencies(connection, settings, [HEALTH], now)
        yield


async def publish(settings: Settings, text: bytes, next_sequence: int | None = None) -> Report:
    """What `yesser publish --wait` does."""
    report = await stored(settings, text, next_sequence)
    await wait_for_verdicts(settings, "health", report, Progress(), 60)
    report.is_final = True
    return report


async def stored(settings: Settings, text: bytes, next_sequence: int | None = None) -> Report:
    """What `yesser publish` does: no verdict is waited for."""
    report = Report()
    async with AgencyPublisher(settings, "health", acknowledged=report.sent.add) as publisher:
        await send_file(
            BytesIO(text), Sending(publisher, Defaults("health", next_sequence), report, Progress(), FIRST_DAY_AHEAD)
        )
    return report


async def start_producer(settings: Settings, user: str | None = None) -> AIOKafkaProducer:
    """A producer of this user, or of the principal of the settings. Nothing stays open where it is refused."""
    producer = AIOKafkaProducer(
        **client_arguments(settings if user is None else settings.acting_as(user)), **PRODUCER_DURABLE
    )
    try:
        await start_client(producer)
    except BaseException:
        await abort_producer(producer)
        raise
    return producer


async def write_as(settings: Settings, user: str, topic: str, value: bytes = b"{}") -> None:
    """Write a record as this Kafka user."""
    producer = await start_producer(settings, user)
    try:
        async with asyncio.timeout(20):
            await producer.send_and_wait(topic, value)
    finally:
        await abort_producer(producer)


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
    return sample(id=f"e-{number}", **changes)


def batch(*events: dict[str, Any]) -> bytes:
    return b"[" + b",".join(map(encoded, events)) + b"]"


@asynccontextmanager
async def run_gateway(
    settings: Settings, connection: Connection, read_keys_every_s: float = READ_KEYS_EVERY_S, /, **changes: object
) -> AsyncIterator[GatewayHarness]:
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
    token = await create_token(connection, hash_key(settings), TokenRequest("agency", "health", 1))
    async with (
        serving(quick, read_keys_every_s=read_keys_every_s) as gateway,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{gateway.port}",
            headers=bearer(token.token),
            timeout=30,
            trust_env=False,
            verify=False,
        ) as client,
    ):
        yield GatewayHarness(quick, gateway, client, connection, token)


@asynccontextmanager
async def serving(
    settings: Settings, detail: str = "kafka", read_keys_every_s: float = READ_KEYS_EVERY_S
) -> AsyncIterator[Gateway]:
    """A gateway as soon as this detail of its readiness holds. It ends with the block, open requests completed."""
    gateway, stop = Gateway(settings, now, read_keys_every_s), asyncio.Event()
    task = asyncio.create_task(gateway.run(stop))

    async def holds() -> bool:
        readiness = gateway.readiness().details
        return bool(readiness["serving"] and readiness[detail])

    await until(holds, f"the gateway is ready: {detail}")
    try:
        yield gateway
    finally:
        stop.set()
        await task
