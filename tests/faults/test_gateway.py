"""kill -9 of the gateway and of Kafka under load, clients trying again: no receipt is empty, no event is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from events.wire.entry import parse_entry
from infra.kafka.client_config import agency_topic
from infra.postgres.connection import connect
from infra.settings import Settings
from producers.sdk.client import AgencyClient
from producers.sdk.connection import ClientLimits
from tests.faults.killing import Killer
from tests.gateway_access import GatewayAccess, grant_access
from tests.scenarios.figures import tell
from tests.scenarios.judge import read_log
from tests.scenarios.system import System, fresh_system, until
from tests.world.events import encoded, initiative

pytestmark = pytest.mark.stack
SENDER = "sender"
"""An agency of this module alone."""

PARTS = ("gateway", "kafka")
BATCH = 20
PAUSE_S = 0.02
CLIENTS = 4
TRY_FOR_S = 120
VERDICTS = """
-- Each record with a receipt, and the index of every verdict that it has: of its entry, or of the first of a duplicate.
SELECT o AS offset, array_agg(v.index) FILTER (WHERE v.index IS NOT NULL) AS indexes
FROM unnest($2::bigint[]) AS o
LEFT JOIN LATERAL (
    SELECT first_index + o - first_offset AS index FROM log.run
    WHERE topic = $1 AND first_offset <= o AND o < first_offset + entries_count
    UNION ALL SELECT of_index FROM log.duplicate WHERE topic = $1 AND "offset" = o
) AS v ON true
GROUP BY o
"""


Fault = Callable[[Callable[[], None]], None]
"""What is done to a system under load. It calls its argument to wait until the load flows."""


@dataclass
class Load:
    """What clients were promised: the offset of each receipt's record, and the id that the receipt names."""

    agency: str = SENDER
    sent: set[str] = field(default_factory=set)
    receipts: dict[int, str] = field(default_factory=dict)

    async def send(self, access: GatewayAccess, fault: Fault) -> None:
        """Send batch after batch, each until it has its receipt, for as long as the fault lasts."""
        lasting = asyncio.create_task(asyncio.to_thread(fault, self.until_it_goes_on))
        numbers = count()

        async def one(client: AgencyClient) -> None:
            while not lasting.done():
                ids = [f"b{next(numbers)}.{n}" for n in range(BATCH)]
                self.sent |= set(ids)
                stored = await client.send_many(
                    [encoded(initiative(id=id_, source=f"urn:yesser:agency:{self.agency}")) for id_ in ids]
                )
                for receipt in stored.receipts:
                    self.receipts[int(receipt.address.rpartition("/")[2])] = receipt.id
                await asyncio.sleep(PAUSE_S)

        async with access.client(ClientLimits(time_limit_s=TRY_FOR_S, pause_max_s=0.5)) as client:
            await asyncio.gather(lasting, *(one(client) for _ in range(CLIENTS)))

    def until_it_goes_on(self) -> None:
        """Wait until some clients got receipts since the last kill: each kill meets a load that flows."""
        enough = len(self.receipts) + CLIENTS * BATCH
        until(lambda: len(self.receipts) >= enough, TRY_FOR_S, "no receipts come any more")


async def require_no_loss(settings: Settings, load: Load) -> int:
    """Every receipt's record has one verdict, on that event; every event is in the log once. How many came again."""
    topic = agency_topic(load.agency)
    connection = await connect(settings, "test", batch=True)
    try:
        raws = await read_log(settings)
        ids = {entry.index: entry.id for entry in map(parse_entry, count(), raws) if entry.agency == load.agency}
        rows = await connection.fetch(VERDICTS, topic, [*load.receipts])
        again: int = await connection.fetchval("SELECT count(*) FROM log.duplicate WHERE topic = $1", topic)
    finally:
        await connection.close()
    assert {*load.receipts.values()} == load.sent, "every event has a receipt"
    verdicts = {row["offset"]: [ids[index] for index in row["indexes"] or []] for row in rows}
    assert verdicts == {offset: [id_] for offset, id_ in load.receipts.items()}, "each receipt has one verdict, its own"
    assert sorted(ids.values()) == sorted(load.sent), "every event is in the log once, and nothing else"
    return again


def kill_under_load(system: System, killer: Killer) -> None:
    load = Load()

    def kill(until_it_goes_on: Callable[[], None]) -> None:
        killer.until_due = until_it_goes_on
        killer.run(system)

    asyncio.run(load.send(grant_access(system, SENDER), kill))
    system.settle()
    again = asyncio.run(require_no_loss(system.settings, load))
    tell(f"{killer}; {len(load.sent)} events, {again} records came again and were dropped")


def test_every_receipt_has_one_verdict_though_gateway_and_kafka_are_killed(system: System) -> None:
    kill_under_load(system, Killer(seed=40, count=3, parts=PARTS))


@pytest.mark.accept
@pytest.mark.parametrize("seed", [41, 42])
def test_twenty_kills_of_gateway_and_kafka_lose_and_double_nothing(seed: int) -> None:
    with fresh_system() as system:
        kill_under_load(system, Killer(seed, count=20, parts=PARTS))
