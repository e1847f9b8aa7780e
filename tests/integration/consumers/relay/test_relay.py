"""The relay on the real PostgreSQL and Kafka: one of several takes rows off the outbox, in order, unless one of them is
not what its writer may decide."""

from __future__ import annotations

from functools import partial

import orjson

from consumers.relay.relay import LEASE, PlatformOutbox, Relay
from infra.postgres import outbox_table
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import OutboxEvent
from infra.process import lease
from infra.settings import Settings
from tests.world.registrars import terminate
from tests.world.teams import put
from tests.world.topics import PLATFORM_TOPIC, make_topics, records
from tests.world.waits import running, until


async def until_empty(connection: Connection) -> None:
    query = "SELECT count(*) = 0 FROM platform.outbox"
    await until(partial(connection.fetchval, query), "nothing waits in the outbox")


async def sent_codes(settings: Settings) -> list[str]:
    return [orjson.loads(r.value)["data"]["code"] for r in await records(settings, PLATFORM_TOPIC)]


async def test_of_two_relays_one_works_and_the_other_takes_over_and_goes_on_after_lost_connections(
    settings: Settings, connection: Connection
) -> None:
    await make_topics(settings)
    codes = [f"{number:02d}" for number in range(12)]
    first, second = Relay(settings), Relay(settings)
    async with running(first, second) as (stop_first, stop_second):
        await put(connection, *codes, padding="x" * 50_000)  # larger than a record batch together
        await until_empty(connection)
        owner, standby = (first, second) if first.epoch is not None else (second, first)
        assert standby.epoch is None
        assert standby.readiness().ready

        (stop_first if owner is first else stop_second).set()
        await put(connection, "c")
        await until_empty(connection)
        assert standby.epoch is not None
        assert await sent_codes(settings) == [*codes, "c"]

        assert await terminate(settings, "relay%") > 0
        await put(connection, "d")
        await until_empty(connection)
    assert [*dict.fromkeys(await sent_codes(settings))] == [*codes, "c", "d"]


async def test_a_relay_of_an_older_epoch_takes_nothing_off(settings: Settings, connection: Connection) -> None:
    await put(connection, "a")
    epoch = await lease.claim(connection, LEASE, "first", settings)
    assert epoch is not None
    await lease.release(connection, LEASE, epoch)
    assert await lease.claim(connection, LEASE, "second", settings) == epoch + 1

    source = PlatformOutbox()
    messages = await source.unsent(connection, 10)
    await source.sent(connection, messages, epoch)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 1
    await source.sent(connection, messages, epoch + 1)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 0


async def test_a_row_that_its_writer_may_not_write_halts_the_relay(settings: Settings, connection: Connection) -> None:
    await make_topics(settings)
    await put(connection, "aa")
    forged = OutboxEvent(
        "suspended.health.0123456789ab", "campaign.escalated", "agency/health", {}, "2026-01-01T00:00:00Z", 1
    )
    async with connected(settings.acting_as("delivery"), "forger") as delivery:
        await outbox_table.write(delivery, [forged])
    relay = Relay(settings)
    async with running(relay):

        async def is_halted() -> bool:
            return not relay.readiness().ready and "halted" in relay.readiness().details

        await until(is_halted, "the relay is halted")
        reason = str(relay.readiness().details["halted"])
        assert "its id suspended.health.0123456789ab is not that of a campaign.escalated" in reason
        assert await records(settings, PLATFORM_TOPIC) == []
        await connection.execute("DELETE FROM platform.outbox WHERE event_id = $1", forged.id)
        await until_empty(connection)
    assert await sent_codes(settings) == ["aa"]
