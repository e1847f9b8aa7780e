"""kill -9 of the gateway and of Kafka under load, clients trying again: no receipt is empty, no event is doubled."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from events.entry import parse_entry
from infra.log_reader import log_size, read_entries
from infra.postgres import connect
from infra.settings import Settings
from producers.sdk.client import AgencyClient
from producers.sdk.connection import ClientLimits
from tests.gateway_door import Door, door_of
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


async def load(door: Door, batches: int, kills: list[tuple[float, str]]) -> dict[str, str]:
    """Send everything while parts are killed; address of each receipt → id."""
    receipts: dict[str, str] = {}
    numbers = iter(range(batches))

    async def one(client: AgencyClient) -> None:
        for number in numbers:
            sent = await client.send_many([encoded(initiative(id=f"b{number}.{n}")) for n in range(BATCH)])
            receipts.update((receipt.address, receipt.id) for receipt in sent.receipts)
            await asyncio.sleep(0.02)

    async def kill() -> None:
        for wait_s, part in kills:
            await asyncio.sleep(wait_s)
            if door.system.parts()[part]["pid"] is not None:
                door.system.kill(part)

    async with door.client(ClientLimits(time_limit_s=TRY_FOR_S, pause_max_s=0.5)) as client:
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
    receipts = asyncio.run(load(door_of(system, "health"), batches, kills))
    system.settle()
    ids, counts = asyncio.run(verdicts(system.settings, receipts))
    sent = {f"b{number}.{n}" for number in range(batches) for n in range(BATCH)}
    assert set(receipts.values()) == sent
    assert set(counts) == {1}, "every receipt's record has exactly one verdict"
    assert sorted(ids) == sorted(sent), "every event is in the log once, and nothing else"


def test_every_receipt_has_one_verdict_though_gateway_and_kafka_are_killed(tmp_path: Path) -> None:
    with running_system(tmp_path / "home") as system:
        require_no_loss(system, 120, [(1.0, "gateway"), (4.0, "kafka"), (6.0, "gateway")])


@pytest.mark.accept
@pytest.mark.parametrize("seed", [41, 42])
def test_twenty_kills_of_gateway_and_kafka_lose_and_double_nothing(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    kills = [(chance.uniform(0.5, 6.0), chance.choice(["gateway", "gateway", "kafka"])) for _ in range(20)]
    with running_system(tmp_path / "home") as system:
        require_no_loss(system, 2_000, kills)
