"""Where others start the processes, `yesser status` reads their leases in the database."""

from __future__ import annotations

import asyncio

from infra.embedded.status import Lease, read_leases
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.world.waits import until


async def test_leases_are_read_with_the_lag_of_the_consumers(settings: Settings, connection: Connection) -> None:
    assert await read_leases(settings) == ([], {}), "nothing has ever worked"
    await connection.execute("UPDATE log.state SET size = 5")
    await connection.execute("INSERT INTO log.read_position (topic, halted_reason) VALUES ('agency.a.events', 'lost')")
    await connection.execute(
        "INSERT INTO platform.lease (name, owner, epoch, expires_at) VALUES"
        " ('registrar', 'one', 1, now() + interval '1 minute'),"
        " ('consumer.revenue', 'two', 1, now() - interval '1 minute')"
    )
    await connection.execute(
        "INSERT INTO platform.position (consumer, position, epoch, halted_reason) VALUES ('revenue', 2, 1, 'changed')"
    )
    await connection.execute("UPDATE platform.lease SET halted_reason = 'no place' WHERE name = 'registrar'")
    rows, alarms = await read_leases(settings)
    assert alarms["agency.a.events"] == "lost"
    assert "the entries from 0 on" in alarms["signing"]
    assert {row.name: row for row in rows} == {
        "registrar": Lease("registrar", "one", held=True, halted_reason="no place"),
        "consumer.revenue": Lease("consumer.revenue", "two", held=False, halted_reason="changed", lag=3),
    }


async def test_the_session_that_a_consumer_waits_for_is_read(settings: Settings, connection: Connection) -> None:
    await connection.execute(
        "INSERT INTO platform.lease (name, owner, epoch, expires_at) VALUES ('consumer.revenue', 'two', 1, now());"
        "INSERT INTO platform.position (consumer) VALUES ('revenue')"
    )
    lock = "UPDATE platform.position SET halted_reason = NULL"
    async with connected(settings, "revenue") as consumer, connected(settings, "rebuild revenue") as holder:
        async with holder.transaction():
            await holder.execute(lock)
            waiting = asyncio.create_task(consumer.execute(lock))

            async def is_named() -> bool:
                return [row.held_by for row in (await read_leases(settings))[0]] == ["yesser rebuild revenue"]

            await until(is_named, "what the consumer waits for is named")
        await waiting
    assert [row.held_by for row in (await read_leases(settings))[0]] == [None]
