"""Many webhooks on the real PostgreSQL: endpoints that hang hold up no other, and a long queue drains. What is measured
is processor time; the figures are printed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from consumers.delivery.routing.matching import Subscription
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.delivery.load import counting, delivery_process, enqueue, processor_s, write_triggers
from tests.team_seals import seal_rows
from tests.unit.consumers.delivery.receivers import receiver, silence
from tests.world.teams import add_endpoint, add_team, for_hooks, subscribe, until

pytestmark = pytest.mark.accept

Environment = Callable[..., dict[str, str]]
HOSTS = {"YESSER_WEBHOOK_HOSTS": "127.0.0.1"}
DELIVERED = "SELECT count(*) FROM delivery.message WHERE state = 'delivered'"


async def webhooks(
    connection: Connection, settings: Settings, port: int, number: int, prefix: str = "e"
) -> list[Subscription]:
    """Webhooks with a path each, and subscriptions to everything."""
    found = []
    await add_team(connection)
    for place in range(number):
        endpoint_id, url = f"{prefix}{place}", f"http://127.0.0.1:{port}/{prefix}{place}"
        await add_endpoint(connection, settings, endpoint_id, url, is_sealed=False)
        subscription_id = await subscribe(connection, endpoint_id, is_sealed=False)
        found.append(
            Subscription(
                subscription_id, "health", "press", "webhook", endpoint_id, None, None, None, None, 0, is_disabled=False
            )
        )
    await seal_rows(connection)  # once: sealing all of them after each takes half an hour for a thousand
    return found


async def test_100_endpoints_of_1000_that_hang_do_not_slow_the_others(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    settings = for_hooks(settings)
    entries = await write_triggers(connection, 10)
    found: dict[str, tuple[float, float]] = {}
    for hang in (0, 100):
        await connection.execute("TRUNCATE delivery.message, delivery.attempt, delivery.subscription CASCADE")
        await connection.execute("DELETE FROM delivery.pgqueuer")
        async with counting() as (counted, port), receiver(silence) as hanging:
            hung = await webhooks(connection, settings, hanging.port, hang, f"hung{hang}-")
            quick = await webhooks(connection, settings, port, 900, f"quick{hang}-")
            async with delivery_process(environment(**HOSTS), tmp_path / "log") as child:
                process = psutil.Process(child.pid)
                await asyncio.sleep(3)
                used, began = processor_s(process), time.monotonic()
                await enqueue(connection, entries, hung + quick)
                await counted.until(9_000, timeout_s=300)
                waits = sorted(at - began for at in counted.first.values())
                found[str(hang)] = (waits[int(0.99 * len(waits))], processor_s(process) - used)
    (p99, cpu), (p99_hung, cpu_hung) = found["0"], found["100"]
    print(f"\np99 {p99:.2f} s without, {p99_hung:.2f} s with; processor {cpu:.2f} s, {cpu_hung:.2f} s")  # noqa: T201
    assert p99_hung < 1.5 * p99 + 0.5
    assert cpu_hung < 1.5 * cpu


@pytest.mark.parametrize("endpoints", [1, 20, 1_000])
async def test_a_long_queue_drains(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path, endpoints: int
) -> None:
    settings = for_hooks(settings)
    total = int(os.environ.get("WEBHOOKS", "100000"))
    entries = await write_triggers(connection, total // endpoints)
    async with counting() as (counted, port):
        assert await enqueue(connection, entries, await webhooks(connection, settings, port, endpoints)) == total
        async with delivery_process(environment(**HOSTS), tmp_path / "log") as child:
            process = psutil.Process(child.pid)
            await counted.until(1, timeout_s=60)
            used, began, mine = processor_s(process), time.monotonic(), processor_s()
            await counted.until(total, timeout_s=total / 100 + 60)
            took, used = time.monotonic() - began, processor_s(process) - used
            memory = process.memory_info().rss >> 20
            await until(connection, DELIVERED, total, timeout_s=60)
    print(  # noqa: T201
        f"\n{endpoints} endpoints: {total / took:,.0f}/s, processor {1e6 * used / total:,.0f} µs a delivery"
        f" (receiver {1e6 * (processor_s() - mine) / total:,.0f}), {memory} MiB"
    )
    assert counted.requests == total
    assert used / total < 1 / 1_000
