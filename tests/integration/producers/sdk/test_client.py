"""The agencies' client and the examples of the documents, against the whole system as a user has it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from events.wire.entry import event_bytes
from infra.kafka.client_config import agency_topic, bootstrap
from producers.sdk.client import AgencyClient
from producers.sdk.problems import RefusedByRegistrar
from tests.gateway_access import GatewayAccess, grant_access
from tests.paths import ROOT
from tests.scenarios.system import System
from tests.world import senders

CODE = "integrators"
MORE_THAN_A_BATCH = 1_010
EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(scope="module")
def access(system: System) -> GatewayAccess:
    return grant_access(system, CODE)


@pytest.fixture
async def client(access: GatewayAccess) -> AsyncIterator[AgencyClient]:
    async with access.client() as opened:
        yield opened


def announced(key: str, name: str = "Name") -> bytes:
    return senders.announced(key, key, CODE, name)


async def test_an_event_is_sent_registered_and_proven(access: GatewayAccess, client: AgencyClient) -> None:
    receipt = await client.send(announced("client-1"))
    entry = await client.wait_registered(receipt)
    proof = await client.proof(entry.index, (access.system.settings.log_folder / "log.vkey").read_text().strip())
    assert sha256(event_bytes(proof.entry.encode())).hexdigest() == receipt.sha256
    assert (await client.status("client-1")).index == entry.index
    again = await client.wait_registered(await client.send(announced("client-1")))
    assert (again.state, again.index) == ("duplicate", entry.index)


async def test_many_events_keep_their_order_and_a_contradiction_is_told(client: AgencyClient) -> None:
    ids = [f"many-{number}" for number in range(MORE_THAN_A_BATCH)]
    sent = await client.send_many([*map(announced, ids)])
    offsets = [receipt.offset for receipt in sent.receipts]
    assert offsets == list(range(offsets[0], offsets[0] + len(ids)))
    seen = []
    async for verdict in client.receipts(since=offsets[0]):
        seen.append((verdict.id, verdict.state))
        if len(seen) == len(ids):
            break
    assert seen == [(name, "registered") for name in ids]
    contradiction = await client.send(announced("many-7", "Another name"))
    with pytest.raises(RefusedByRegistrar, match="conflict"):
        await client.wait_registered(contradiction)


async def test_a_gateway_that_is_killed_and_comes_back_costs_nothing_but_time(access: GatewayAccess) -> None:
    async with access.client() as client:
        await client.send(announced("before-the-kill"))
        access.system.kill("gateway")
        receipts = await asyncio.gather(*(client.send(announced(f"after-{number}")) for number in range(20)))
        entries = [await client.wait_registered(receipt) for receipt in receipts]
    assert [entry.id for entry in entries] == [f"after-{number}" for number in range(20)]
    await asyncio.to_thread(access.system.until_all_ready)


async def test_the_example_over_kafka_keeps_order(access: GatewayAccess, client: AgencyClient, tmp_path: Path) -> None:
    """Run as it stands, with nothing but what an integrator has. That over HTTP is a step of the quick start."""
    settings, user = access.system.settings, f"agency-{CODE}"
    given = {
        "YESSER_AGENCY": CODE,
        "YESSER_KAFKA": bootstrap(settings),
        "YESSER_KAFKA_USER": user,
        "YESSER_KAFKA_PASSWORD": settings.secret("kafka", user) or "",
        "YESSER_KAFKA_SECURITY": settings.kafka_security,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")} | given
    command = (sys.executable, "-W", "error", EXAMPLES / "send_over_kafka.py")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=EXAMPLES, stdout=pipe, stderr=pipe)
    printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    topic = agency_topic(CODE)
    offsets = [int(line.removeprefix(f"{topic}/0/")) for line in printed.decode().splitlines()]
    assert offsets[1] == offsets[0] + 1
    async for verdict in client.receipts(since=offsets[1]):
        assert (verdict.id, verdict.state) == ("launch-licences", "registered")
        break

    properties = tmp_path / "client.properties"  # with which the quick start's last step writes
    rotated = await asyncio.to_thread(access.system.ask, "agencies", "rotate", CODE, "--output", str(properties))
    assert rotated == {
        "code": CODE,
        "topic": topic,
        "kafka_user": user,
        "file": str(properties),
        "kafka": bootstrap(settings),
        "kafka_security": "SASL_PLAINTEXT",
        "ca_file": None,
    }
    assert properties.stat().st_mode & 0o777 == 0o600
