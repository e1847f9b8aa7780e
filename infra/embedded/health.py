"""Whether a child is ready, or why it halted: by its `/readyz`, or a service's answer. An open port proves nothing."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from infra.embedded.servers.ports import HOST
from infra.stack_record import accepts

PROBE_TIMEOUT_S: Final = 2.0


class Readyz(Struct):
    """What a process says at `/readyz` (`infra.process.health`), as far as the status shows it."""

    ready: bool = False
    role: str | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    lag: int | UnsetType = UNSET
    paused: dict[str, dict[str, str]] = {}
    """Paused topics: until when, and why, in Arabic and English."""
    rebuilding: dict[str, dict[str, int]] | UnsetType = UNSET
    """Consumers whose rows are built again: `entries` so far, `of` all."""
    held_by: dict[str, str] | UnsetType = UNSET
    """Consumers that wait for a lock, and the session that has it."""
    decisions_held: int | UnsetType = UNSET
    halted: str | UnsetType = UNSET


async def readiness(port: int, host: str = HOST) -> Readyz | None:
    """What `/readyz` answers; None without an answer."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            with closing(writer):
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
        return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2], type=Readyz)
    except (OSError, TimeoutError, ValueError):
        return None


async def kafka_ready(port: int, admin_password: str) -> bool:
    """Whether the broker accepts `admin`, and is registered with the controllers."""
    if not await asyncio.to_thread(accepts, port):
        return False
    # Imported here: reading a stack's state needs no Kafka client, whose import takes a third of a second.
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    from infra.kafka.clients import start_client, stop_admin

    admin = AIOKafkaAdminClient(
        bootstrap_servers=f"{HOST}:{port}",
        client_id="yesser-supervisor",
        request_timeout_ms=int(PROBE_TIMEOUT_S * 1000),
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username="admin",
        sasl_plain_password=admin_password,
    )
    try:
        await start_client(admin)
        metadata = await admin.describe_cluster()
        registered = any(broker["port"] == port for broker in metadata["brokers"])
        return registered and metadata["controller_id"] >= 0
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await stop_admin(admin)
