"""Whether a child is ready, or why it halted: by its `/readyz`, or a service's answer. An open port proves nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from infra.embedded.servers.ports import HOST

PROBE_TIMEOUT_S: Final = 2.0


async def process_ready(port: int) -> bool:
    """Whether `/readyz` answers 200."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            status, _ = await _get(port, "/readyz")
    except (OSError, TimeoutError, ValueError):
        return False
    return status == 200


async def halt_reason(port: int) -> str | None:
    """The reason of a halt, from `/readyz`; None if the process has not halted."""
    reason = (await readiness(port) or {}).get("halted")
    return None if reason is None else str(reason)


async def readiness(port: int) -> dict[str, Any] | None:
    """The document of `/readyz`; None without an answer."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            _, body = await _get(port, "/readyz")
        document = json.loads(body)
    except (OSError, TimeoutError, ValueError):
        return None
    return document if isinstance(document, dict) else None


async def _get(port: int, path: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split()[1]) if head.count(b" ") >= 1 else 0, body
    finally:
        writer.close()


async def port_open(port: int) -> bool:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(HOST, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def kafka_ready(port: int, admin_password: str) -> bool:
    """Whether the broker accepts `admin` and is registered."""
    if not await port_open(port):
        return False
    # Imported here: reading a stack's state needs no Kafka client, whose import takes a third of a second.
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    from infra.kafka.clients import stop_safely

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
        await admin.start()
        metadata: dict[str, Any] = await admin.describe_cluster()
        return bool(metadata["brokers"]) and metadata["controller_id"] >= 0
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await stop_safely(admin.close())
