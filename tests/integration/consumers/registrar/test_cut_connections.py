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


async def test_records_are_soon_published_and_shipped_over_other_connections_than_those_that_freeze_or_are_cut(
    settings: Settings, connection: Connection
) -> None:
    await found(settings, "health")
    async with CuttingProxy(int(bootstrap(settings).rpartition(":")[2]), seed=7).running() as proxy:
        behind = settings.model_copy(update={"kafka": f"127.0.0.1:{proxy.port}"})
        async with running(registrar(behind)):
            await until_size(connection, 3)
            await until_shipped(connection, 3)
            async with AgencyPublisher(behind, "health") as publisher:
                await publisher.publish([said("1")])
                proxy.freeze()
                async with asyncio.timeout(AGAIN_WITHIN_S):
                    await publisher.publish([said("2")])
            await send(settings, HEALTH_TOPIC, said("3"))
            took_s = await shipped_within(connection, 6)
            tell(f"all connections of a registrar froze: shipped again after {took_s:.1f} s")
            proxy.cutting = True
            end, number = time.monotonic() + CUT_FOR_S, 4
            while time.monotonic() < end:
                await send(settings, HEALTH_TOPIC, said(str(number)))
                number += 1
                await asyncio.sleep(0.05)
            proxy.cutting = False
            took_s = await shipped_within(connection, 2 + number)
    cuts = sum(proxy.cuts.values())
    assert cuts > 0
    assert [entry.id for entry in (await log_of(connection))[3:]] == [str(n) for n in range(1, number)]
    tell(f"{cuts} cuts of a registrar's connections: {number} records shipped {took_s:.1f} s later")
