"""The gateway's connections to Kafka are cut at random bytes and moments, or freeze: receipts soon come again, and none
of them is empty."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from itertools import count

import pytest

from infra.kafka.client_config import bootstrap
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.producers.gateway.cutting_proxy import CUTS, CuttingProxy
from tests.scenarios.figures import tell
from tests.world.events import encoded
from tests.world.senders import GatewayHarness, event, run_gateway
from tests.world.waits import until

CUT_FOR_S = 4.0
"""Or until each kind of cut was met."""
CLIENTS = 4
PAUSE_S = 0.01
AGAIN_WITHIN_S = 8.0
LIMITS = {"gateway_kafka_timeout_s": 2.0, "gateway_stuck_s": 0.5, "gateway_requests_per_s": 10_000}


@pytest.fixture
async def proxy(settings: Settings) -> AsyncIterator[CuttingProxy]:
    """A proxy before this test's Kafka."""
    async with CuttingProxy(int(bootstrap(settings).rpartition(":")[2]), seed=5).running() as running:
        yield running


@pytest.fixture
async def harness(settings: Settings, connection: Connection, proxy: CuttingProxy) -> AsyncIterator[GatewayHarness]:
    """A gateway whose Kafka is behind the proxy."""
    async with run_gateway(settings, connection, kafka=f"127.0.0.1:{proxy.port}", **LIMITS) as opened:
        yield opened


async def receipts_come_again(harness: GatewayHarness, number: int) -> float:
    """Send until an event is stored; how many seconds that took."""
    started = time.monotonic()

    async def stored() -> bool:
        return (await harness.send(encoded(event(number)))).status_code == 202

    await until(stored, "an event is stored", AGAIN_WITHIN_S)
    return time.monotonic() - started


async def test_cut_or_frozen_connections_give_no_false_receipt(harness: GatewayHarness, proxy: CuttingProxy) -> None:
    assert (await harness.send(encoded(event(1)))).status_code == 202
    proxy.freeze()
    assert (await harness.send(encoded(event(2)))).status_code == 504
    await receipts_come_again(harness, 3)
    assert harness.gateway.readiness().ready

    numbers, statuses, promised = count(4), Counter[int](), dict[int, bytes]()
    end = time.monotonic() + CUT_FOR_S

    def goes_on() -> bool:
        return time.monotonic() < end or not all(proxy.cuts[cut] for cut in CUTS)

    async def send() -> None:
        while goes_on():
            body = encoded(event(next(numbers)))
            answer = await harness.send(body)
            statuses[answer.status_code] += 1
            if answer.status_code == 202:
                (row,) = answer.json()["receipt"]["events"]
                promised[int(row["address"].rpartition("/")[2])] = body
            await asyncio.sleep(PAUSE_S)

    proxy.cutting = True
    proxy.freeze()  # the connection that there is was made before
    await asyncio.gather(*(send() for _ in range(CLIENTS)))
    proxy.cutting = False
    took_s = await receipts_come_again(harness, next(numbers))
    stored = await harness.stored()
    assert promised == {offset: stored[offset] for offset in promised}
    assert set(statuses) <= {202, 503, 504}
    tell(f"{sum(proxy.cuts.values())} cuts of the gateway's connections; a receipt {took_s:.1f} s after the last one")
