"""The connections of the registrar and of a publisher are cut at random bytes, or freeze: records are soon registered
and shipped again, without a person."""

from __future__ import annotations

import asyncio
import time

from infra.kafka.client_config import bootstrap
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.integration.producers.gateway.cutting_proxy import CuttingProxy
from tests.scenarios.figures import tell
from tests.world.records import said
from tests.world.registrars import found, log_of, registrar, until_shipped, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running

CUT_FOR_S = 6.0
AGAIN_WITHIN_S = 25.0
"""A request waits for 10 s on a frozen connection; the client library's own limit is 40 s."""


async def shipped_within(connection: Connection, size: int) -> float:
    started = time.monotonic()
    async with asyncio.timeout(AGAIN_WITHIN_S):
        await until_size(connection, size)
        await until_shipped(connection, size)
    return time.monotonic() - started


async def test_records_are_soon_published_and_shipped_over_other_connections_than_those_that_are_cut_or_freeze(
    settings: Settings, connection: Connection
) -> None:
    await found(settings, "health")
    async with CuttingProxy(int(bootstrap(settings).rpartition(":")[2]), seed=7).running() as proxy:
        behind = settings.model_copy(update={"kafka": f"127.0.0.1:{proxy.port}"})
        proxy.cutting = True
        async with running(registrar(behind)):
            end, number = time.monotonic() + CUT_FOR_S, 0
            while time.monotonic() < end:
                await send(settings, HEALTH_TOPIC, said(str(number)))
                number += 1
                await asyncio.sleep(0.05)
            proxy.cutting = False
            took_s, cuts = await shipped_within(connection, 3 + number), sum(proxy.cuts.values())
            assert cuts > 0
            tell(f"{cuts} cuts of a registrar's connections: {number} records shipped {took_s:.1f} s later")
            async with AgencyPublisher(behind, "health") as publisher:
                await publisher.publish([said("before")])
                proxy.freeze()
                async with asyncio.timeout(AGAIN_WITHIN_S):
                    await publisher.publish([said("frozen")])
            await send(settings, HEALTH_TOPIC, said("after"))
            took_s = await shipped_within(connection, 3 + number + 3)
            tell(f"all connections of a registrar froze: shipped again after {took_s:.1f} s")
    sent = [*map(str, range(number)), "before", "frozen", "after"]
    assert [entry.id for entry in (await log_of(connection))[3:]] == sent
