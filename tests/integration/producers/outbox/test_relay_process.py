"""The outbox as an agency runs it: a process of its own, over Kafka or through the gateway."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from events.validation.verdicts import Agency
from infra.settings import Settings
from producers.outbox import outbox
from producers.outbox.outbox import read_status
from producers.outbox.relay import OutboxRelay
from tests.corners import execute
from tests.faults.outbox_relays import relay_process
from tests.gateway_access import GatewayAccess, grant_access
from tests.integration.producers.outbox.agency_database import one_connection, with_outbox
from tests.scenarios.system import System
from tests.stack import superusers_address, with_database
from tests.world.events import encoded, golden_event
from tests.world.senders import announced
from tests.world.waits import running, until

CODE = "clinics"


@pytest.fixture(scope="module")
def access(system: System) -> GatewayAccess:
    return grant_access(system, CODE)


@pytest.fixture
async def agencys(access: GatewayAccess) -> Settings:
    """Settings with an outbox in a new database."""
    server, name = superusers_address(access.system.settings), f"clinics_{secrets.token_hex(4)}"
    await execute(server, f"CREATE DATABASE {name}")
    return await with_outbox(access.system.settings, with_database(server, name))


def event(event_id: str) -> bytes:
    """An event with a subject of its own: the system is shared with other tests."""
    return announced(event_id, f"clinics-{event_id}", CODE)


async def until_sent(agencys: Settings, count: int) -> list[str]:
    """Wait until so many events are sent; their addresses in the order of their rows."""
    async with one_connection(agencys) as own:

        async def sent() -> bool:
            return bool(await own.fetchval("SELECT count(address) = $1 FROM yesser.outbox", count))

        await until(sent, f"{count} events are sent", 60)
        return [row["address"] for row in await own.fetch("SELECT address FROM yesser.outbox ORDER BY row_id")]


async def add(agencys: Settings, *event_ids: str) -> None:
    async with one_connection(agencys) as own:
        await outbox.add(own, *(event(event_id) for event_id in event_ids))


async def test_a_killed_relay_has_a_successor(access: GatewayAccess, agencys: Settings, tmp_path: Path) -> None:
    with relay_process(access.system, agencys, tmp_path / "relay.log", CODE) as relay:
        await add(agencys, "kafka-1", "kafka-2")
        await until_sent(agencys, 2)
        relay.kill()
        await add(agencys, "kafka-3")
        relay.start_again()
        addresses = await until_sent(agencys, 3)
    async with access.client() as client:
        verdicts = [await client.status(f"kafka-{n}", address) for n, address in enumerate(addresses, 1)]
    assert [verdict.state for verdict in verdicts] == ["registered"] * 3


async def test_what_the_gateway_refuses_is_kept_and_the_next_is_sent(access: GatewayAccess, agencys: Settings) -> None:
    over_http = agencys.model_copy(update={"outbox_gateway": access.address, "outbox_token": access.token})
    offices = encoded(golden_event("plan.adopted") | {"source": f"urn:yesser:agency:{CODE}", "id": "http-refused"})
    async with one_connection(agencys) as own:
        await outbox.add(own, event("http-1"), offices, event("http-2"), role="office")
        # A relay that takes the agency for the office finds no fault; the gateway knows better.
        async with running(OutboxRelay(over_http, Agency(CODE, "office"))):
            addresses = await until_sent(agencys, 2)
        status = await read_status(own, agencys)
    assert [row.id for row in status.refused_last] == ["http-refused"]
    assert "not-authorised" in str(status.refused_last[0].faults)
    async with access.client() as client:
        verdicts = [await client.status(f"http-{n}", address) for n, address in enumerate(filter(None, addresses), 1)]
    assert [verdict.state for verdict in verdicts] == ["registered"] * 2
