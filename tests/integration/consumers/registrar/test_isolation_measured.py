"""One agency writes records that cost as much as they can: the others wait little, and no registrar takes over from the
other.

From published to registered is measured by the broker's clock: from the time at which it stored an agency's record to
the time at which it stored the entry, which is shipped after the commit.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from infra.postgres.connection import Connection
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.scenarios.figures import tell
from tests.world.events import changed, golden
from tests.world.records import LABOUR, said
from tests.world.registrars import found, until_read, until_shipped, until_size
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, records, send

pytestmark = [pytest.mark.accept, pytest.mark.alone]

EVENTS_PER_S = 100
COSTLY_RECORDS = 200
WAIT_MAX_MS = 250
Environment = Callable[..., dict[str, str]]


@asynccontextmanager
async def registrars(environment: Environment, count: int) -> AsyncIterator[None]:
    """Processes of their own: one works, the others stand by."""
    children = [
        await asyncio.create_subprocess_exec(*subprocess_command(), "run", "registrar", env=environment())
        for _ in range(count)
    ]
    try:
        yield
        assert [child.returncode for child in children] == [None] * count
    finally:
        for child in children:
            child.terminate()
        for child in children:
            await child.wait()


async def publish_steadily(settings: Settings, name: str, goes_on: Callable[[float], bool]) -> int:
    """Publish an agency's events at a steady rate; how many they were."""
    async with AgencyPublisher(settings, "labour") as publisher:
        began, count = time.monotonic(), 0
        while goes_on(time.monotonic() - began):
            await asyncio.sleep(began + count / EVENTS_PER_S - time.monotonic())
            await publisher.add(said(f"{name}-{count}", agency=LABOUR))
            await publisher.push()
            count += 1
        await publisher.flush()
    return count


async def waits_ms(settings: Settings, offsets: range) -> list[int]:
    """From published to registered and shipped, by the broker's clock."""
    published = {record.offset: record.timestamp for record in await records(settings, LABOUR_TOPIC)}
    registered_at: dict[int, int] = {}
    for record in await records(settings, settings.log_topic):
        address = record.value[:200].partition(b'"from":"')[2].partition(b'"')[0].decode()
        topic, _, offset = address.split("/")
        if topic == LABOUR_TOPIC:
            registered_at.setdefault(int(offset), record.timestamp)
    return [registered_at[offset] - published[offset] for offset in offsets]


def costly_records() -> dict[str, bytes]:
    """Records of 60 KB of the agency `health`: lists, members, digits and escapes."""
    path = next(path for path, _ in golden() if path.name == "partnership.signed.json")
    signed = json.loads(path.read_text(encoding="utf-8"))
    contents = {
        "empty bands": ("/data/terms/bands", [{}] * 19_500),
        "services that are numbers": ("/data/services", [0] * 29_000),
        "unknown members": ("/data/terms", {f"m{n}": 0 for n in range(5_000)}),
        "unknown objects": ("/data", {f"m{n}": {} for n in range(4_000)}),
        "digits": ("/data/legal_basis/en", "1064971269 " * 5_000),
        "brackets and quotes": ("/data/legal_basis/en", '"},{' * 9_000),
        "escapes": ("/data/legal_basis/en", "\x01" * 9_000),
    }
    records_ = {}
    for name, (pointer, content) in contents.items():
        value = json.dumps(changed(signed, pointer, content), separators=(",", ":")).encode()
        assert 40_000 < len(value) <= 61_440, name
        records_[name] = value
    records_["nesting"] = b'{"data":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    return records_


def in_binary_mode(value: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The same record with its attributes in headers."""
    event = json.loads(value)
    headers = [(f"ce_{name}", text.encode()) for name, text in event.items() if isinstance(text, str)]
    return json.dumps(event["data"], separators=(",", ":")).encode(), headers


async def test_the_costliest_records_of_one_agency_cost_no_take_over_and_nobody_waits(
    settings: Settings, connection: Connection, environment: Environment
) -> None:
    await found(settings, "health", "labour")
    costly = costly_records()
    sent = 0
    async with registrars(environment, 2):
        await until_size(connection, 4)
        await asyncio.sleep(1)
        warm = await publish_steadily(settings, "warm", lambda passed_s: passed_s < 2)

        async def write_costly() -> int:
            count = 0
            while count < COSTLY_RECORDS:
                for name, value in costly.items():
                    await send(settings, HEALTH_TOPIC, value)
                    count += 1
                    if name != "nesting":
                        data, headers = in_binary_mode(value)
                        await send(settings, HEALTH_TOPIC, data, headers=headers)
                        count += 1
            return count

        writing = asyncio.create_task(write_costly())
        beside = await publish_steadily(settings, "beside", lambda passed_s: not writing.done())
        sent = await writing
        await until_read(connection, HEALTH_TOPIC, sent, 120)
        await until_read(connection, LABOUR_TOPIC, warm + beside, 120)
        await until_shipped(connection, await connection.fetchval("SELECT size FROM log.state"))
        waits = await waits_ms(settings, range(warm, warm + beside))
        epoch = await connection.fetchval("SELECT epoch FROM platform.lease WHERE name = 'registrar'")
    refused = await connection.fetch("SELECT address, errors FROM log.refusal WHERE agency = 'health'")
    tell(
        f"{sent} of the costliest records beside {beside} events of another agency: published to registered p50"
        f" {statistics.median(waits):.0f} ms, at most {max(waits)} ms; epoch {epoch}"
    )
    assert len(refused) == sent
    assert all(row["errors"] for row in refused)
    assert epoch == 1, "nobody took over"
    assert max(waits) <= WAIT_MAX_MS
