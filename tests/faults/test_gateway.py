"""kill -9 of the gateway and of Kafka under load, clients trying again: no receipt is empty, no event is doubled."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from events.entry import parse_entry
from infra.log_reader import log_size, read_entries
from infra.postgres import connect
from infra.settings import Settings
from producers.tokens import Asked, create_token, hash_key
from tests.scenarios.system import System, running_system
from tests.unit.events.samples import encoded, initiative

pytestmark = pytest.mark.stack
BATCH = 20
CLIENTS = 4
TRY_FOR_S = 120
VERDICTS = """
SELECT (SELECT count(*) FROM log.run WHERE topic = $1 AND first_offset <= o AND o < first_offset + entries_count)
     + (SELECT count(*) FROM log.duplicate WHERE topic = $1 AND "offset" = o) AS verdicts
FROM unnest($2::bigint[]) AS o
"""
BATCH_TYPE = {"content-type": "application/cloudevents-batch+json"}


def address_of(system: System) -> str:
    return f"http://127.0.0.1:{system.parts()['gateway']['port']}/v1/events"


async def token_of(settings: Settings) -> str:
    connection = await connect(settings, "test")
    try:
        return (await create_token(connection, hash_key(settings), Asked("agency", "health", 1))).token
    finally:
        await connection.close()


async def send_until_stored(client: httpx.AsyncClient, address: str, body: bytes) -> list[dict[str, Any]]:
    """Send the same bytes until they have a receipt; what the earlier tries did is unknown to this client."""
    deadline = time.monotonic() + TRY_FOR_S
    while True:
        try:
            answer = await client.post(address, content=body, headers=BATCH_TYPE)
            if answer.status_code == 202:
                rows: list[dict[str, Any]] = answer.json()["receipt"]["events"]
                return rows
            assert answer.status_code in (503, 504), answer.text
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the gateway does not take events again"
        await asyncio.sleep(0.2)


async def load(system: System, batches: int, kills: list[tuple[float, str]]) -> dict[str, str]:
    """Send everything while parts are killed; address of each receipt → id."""
    receipts: dict[str, str] = {}
    headers = {"authorization": f"Bearer {await token_of(system.settings)}"}
    numbers = iter(range(batches))

    async def one(client: httpx.AsyncClient) -> None:
        for number in numbers:
            events = [encoded(initiative(id=f"b{number}.{n}")) for n in range(BATCH)]
            rows = await send_until_stored(client, address_of(system), b"[" + b",".join(events) + b"]")
            receipts.update((row["address"], row["id"]) for row in rows)
            await asyncio.sleep(0.02)

    async def kill() -> None:
        for wait_s, part in kills:
            await asyncio.sleep(wait_s)
            if system.parts()[part]["pid"] is not None:
                system.kill(part)

    async with httpx.AsyncClient(headers=headers, timeout=20, trust_env=False) as client:
        await asyncio.gather(kill(), *(one(client) for _ in range(CLIENTS)))
    return receipts


async def verdicts(settings: Settings, receipts: dict[str, str]) -> tuple[list[str], list[int]]:
    """Ids of the agency's entries in log order, and for each receipt how many verdicts its record has."""
    connection = await connect(settings, "test", batch=True)
    try:
        entries = await read_entries(connection, 0, await log_size(connection))
        ids = [e.id for e in (parse_entry(i, raw) for i, raw in enumerate(entries)) if e.agency == "health"]
        offsets = [int(address.rpartition("/")[2]) for address in receipts]
        counts = await connection.fetch(VERDICTS, "agency.health.events", offsets)
        return ids, [row["verdicts"] for row in counts]
    finally:
        await connection.close()


def require_no_loss(system: System, batches: int, kills: list[tuple[float, str]]) -> None:
    receipts = asyncio.run(load(system, batches, kills))
    system.settle()
    ids, counts = asyncio.run(verdicts(system.settings, receipts))
    sent = {f"b{number}.{n}" for number in range(batches) for n in range(BATCH)}
    assert set(receipts.values()) == sent
    assert set(counts) == {1}, "every receipt's record has exactly one verdict"
    assert sorted(ids) == sorted(sent), "every event is in the log once, and nothing else"


def test_every_receipt_has_one_verdict_though_gateway_and_kafka_are_killed(tmp_path: Path) -> None:
    with running_system(tmp_path / "home") as system:
        system.add_agencies([("health", "agency")])
        require_no_loss(system, 120, [(1.0, "gateway"), (4.0, "kafka"), (6.0, "gateway")])


@pytest.mark.accept
@pytest.mark.parametrize("seed", [41, 42])
def test_twenty_kills_of_gateway_and_kafka_lose_and_double_nothing(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    kills = [(chance.uniform(0.5, 6.0), chance.choice(["gateway", "gateway", "kafka"])) for _ in range(20)]
    with running_system(tmp_path / "home") as system:
        system.add_agencies([("health", "agency")])
        require_no_loss(system, 2_000, kills)
