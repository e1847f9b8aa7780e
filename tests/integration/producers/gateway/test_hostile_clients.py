"""One peer misuses the gateway in every way that costs nothing to try; another agency's events go through all along.

Each misuse is measured on a gateway process: the agency's answers, the connections that the peer keeps, and memory.
What each limit does, one connection at a time: `tests/unit/producers/gateway`.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import orjson
import pytest

from tests.integration.producers.gateway.hostile_clients import (
    OTHER_PEER,
    GatewayProcess,
    Traffic,
    gateway_process,
    other_peer,
    sockets,
)
from tests.scenarios.figures import tell
from tests.stack import TestStack
from tests.world.stacks import lasting_corner
from tests.world.waits import until

pytestmark = pytest.mark.accept

MEMORY_GROWTH_MIB_MAX = 64
WAIT_S_MAX = 5.0
"""Generous: the misusing clients and other tests run beside it. The run shows the figures at its end."""
PER_PEER_MAX = 40
FAILURES_PER_S = 20
GUESSING_CLIENTS = 40
DIGITS = "abcdefghijklmnopqrstuvwxyz234567"


LIMITS = {
    "gateway_connections_per_peer_max": PER_PEER_MAX,
    "gateway_failures_per_s": FAILURES_PER_S,
    "gateway_public_requests_per_s": 200,
}


@pytest.fixture(scope="module")
def started(stack: TestStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with lasting_corner(stack, tmp_path_factory.mktemp("hostile") / "home") as (settings, runner):
        process = gateway_process(settings, **LIMITS)
        gateway = runner.run(process.__aenter__())
        try:
            yield gateway
        finally:
            runner.run(process.__aexit__(None, None, None))


@pytest.fixture
async def gateway(started: GatewayProcess) -> GatewayProcess:
    """The one process of these tests, once it has no connection of the test before."""
    await started.until_at_most(0, 15)
    return started


@asynccontextmanager
async def serving(gateway: GatewayProcess, what: str) -> AsyncIterator[Traffic]:
    """Meanwhile the agency is always answered 202, in time, and memory stays within its limit."""
    before = gateway.memory_mib
    async with gateway.agency_sending() as traffic:
        yield traffic
        await until(lambda: len(traffic.waits_s) > 5, "the agency was answered")
    growth = gateway.memory_mib - before
    tell(
        f"{what}: {len(traffic.waits_s)} events of another agency, the slowest in {traffic.slowest_s * 1000:.0f} ms;"
        f" memory {gateway.memory_mib:.0f} MiB, {growth:+.0f} MiB"
    )
    assert set(traffic.statuses) == {202}
    assert traffic.slowest_s < WAIT_S_MAX
    assert growth < MEMORY_GROWTH_MIB_MAX


async def test_idle_connections_of_one_peer_leave_room_for_others(gateway: GatewayProcess) -> None:
    number = 2_000
    async with serving(gateway, f"{number} idle connections") as traffic, sockets(gateway, number) as opened:
        await gateway.until_at_most(PER_PEER_MAX, 10)
        await until(lambda: len(traffic.waits_s) > 10, "the agency was answered meanwhile")
        refusal = await asyncio.to_thread(opened[-1].recv, 65_536)
    assert refusal.startswith(b"HTTP/1.1 429 ")
    assert b"content-type: application/problem+json" in refusal
    assert orjson.loads(refusal.rpartition(b"\r\n\r\n")[2])["type"].endswith("/problems/too-many-connections")


async def test_guessed_tokens_are_looked_up_no_more_often_than_failures_are_allowed(gateway: GatewayProcess) -> None:
    number = 3_000
    async with serving(gateway, f"{number} guessed tokens"):
        started = asyncio.get_running_loop().time()
        lookups = await gateway.metric("yesser_gateway_token_lookups_total")
        answered = sum(
            await asyncio.gather(*(guess(gateway, number // GUESSING_CLIENTS) for _ in range(GUESSING_CLIENTS))),
            Counter[int](),
        )
        took_s = asyncio.get_running_loop().time() - started
        lookups = await gateway.metric("yesser_gateway_token_lookups_total") - lookups
    allowed = FAILURES_PER_S * (5 + took_s)
    own = 2 + took_s  # the agency's token is looked up every two seconds
    tell(f"{number} guessed tokens from {OTHER_PEER}: {answered[401]} answered 401, {answered[429]} 429; {lookups:.0f}")
    assert answered.total() == number
    assert set(answered) == {401, 429}
    assert answered[401] <= allowed + 1
    assert answered[401] <= lookups <= answered[401] + own


async def guess(gateway: GatewayProcess, number: int) -> Counter[int]:
    """The statuses of requests with made-up tokens, over one connection."""
    statuses = Counter[int]()
    reader, writer = await other_peer(gateway)
    for _ in range(number):
        token = f"yat_{''.join(secrets.choice(DIGITS) for _ in range(10))}_{secrets.token_hex(32)}"
        head = f"POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer)
        assert length is not None
        await reader.readexactly(int(length[1]))
        statuses[int(answer[9:12])] += 1
    writer.close()
    return statuses
