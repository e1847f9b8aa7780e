"""The lease and its epochs, by the database's own time."""

from __future__ import annotations

import asyncio

import pytest

from events.errors import Fenced
from infra.postgres.connection import Connection, connect, connected
from infra.process import lease
from infra.settings import Settings

NAME = "some role"


async def expire(connection: Connection) -> None:
    await connection.execute("UPDATE platform.lease SET expires_at = clock_timestamp() - interval '1 ms'")


async def set_clock_back(connection: Connection, seconds: int) -> None:
    """As after a correction of the database's clock: the lease ends further ahead."""
    await connection.execute("UPDATE platform.lease SET expires_at = expires_at + $1 * interval '1 s'", seconds)


async def holder(connection: Connection, settings: Settings) -> str | None:
    return next((row["owner"] for row in await lease.holders(connection, settings) if row["held"]), None)


async def forget(connection: Connection) -> None:
    """As if nobody had ever wanted the lease."""
    await connection.execute("DELETE FROM platform.lease")


async def test_a_lease_has_one_owner_and_each_claim_a_new_epoch(settings: Settings, connection: Connection) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    assert await lease.claim(connection, NAME, "b", settings) is None
    assert await lease.claim(connection, "another role", "b", settings) == 1
    assert await lease.claim(connection, NAME, "a", settings) == 2
    assert not await lease.renew(connection, NAME, 1, settings), "its old connection may not go on"
    await expire(connection)
    assert await lease.renew(connection, NAME, 2, settings), "it expired, and nobody wanted it"
    assert await lease.claim(connection, NAME, "b", settings) is None

    await expire(connection)
    assert await lease.claim(connection, NAME, "b", settings) == 3
    assert not await lease.renew(connection, NAME, 2, settings)
    await lease.release(connection, NAME, 2)
    assert await lease.claim(connection, NAME, "c", settings) is None, "who was superseded releases nothing"
    await connection.execute("DELETE FROM platform.lease WHERE name <> $1", NAME)
    await lease.release(connection, NAME, 3)
    assert await holder(connection, settings) is None
    assert await lease.claim(connection, NAME, "c", settings) == 4, "released, it is free at once"
    assert await holder(connection, settings) == "c"


async def test_a_lease_given_by_a_clock_that_was_ahead_is_free_and_its_owner_is_fenced(
    settings: Settings, connection: Connection
) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await set_clock_back(connection, 3_600)
    assert await lease.renew(connection, NAME, 1, settings), "its owner came first"
    assert await lease.claim(connection, NAME, "b", settings) is None
    await set_clock_back(connection, 3_600)
    assert await holder(connection, settings) is None
    assert await lease.claim(connection, NAME, "b", settings) == 2
    assert await holder(connection, settings) == "b"
    assert not await lease.renew(connection, NAME, 1, settings)
    with pytest.raises(Fenced):
        await lease.hold(connection, NAME, 1)

    await forget(connection)
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await set_clock_back(connection, 30)
    assert await lease.claim(connection, NAME, "b", settings) is None, "it could have been given now"
    longest = settings.model_copy(update={"lease_ms": 60_000})
    assert await lease.renew(connection, NAME, 1, longest)
    for other in (longest, settings, settings.model_copy(update={"lease_ms": 1})):
        assert await lease.claim(connection, NAME, "b", other) is None, "whatever the length of the other's leases"
        assert await holder(connection, other) == "a"
    await lease.release(connection, NAME, 1)
    await set_clock_back(connection, 30)
    assert await lease.claim(connection, NAME, "b", settings) == 2, "a released one is free all the same"


async def test_of_many_that_want_it_at_once_one_gets_it_and_a_claim_waits_for_the_owners_transaction(
    settings: Settings, connection: Connection
) -> None:
    others = [await connect(settings, f"claimer {i}") for i in range(8)]
    try:
        claims = [lease.claim(c, NAME, f"owner {i}", settings) for i, c in enumerate(others)]
        assert sorted(await asyncio.gather(*claims), key=str) == [1, *[None] * 7]
        await expire(connection)
        async with connection.transaction():
            assert await lease.renew(connection, NAME, 1, settings)
            claim = asyncio.create_task(lease.claim(others[0], NAME, "b", settings))
            await asyncio.sleep(0.2)
            assert not claim.done(), "the owner is in the middle of a commit"
        assert await claim is None, "it respects the renewal"
    finally:
        await asyncio.gather(*(c.close() for c in others))


@pytest.mark.alone
async def test_an_owner_that_stops_is_ended_by_the_database(settings: Settings, connection: Connection) -> None:
    hasty = settings.model_copy(update={"idle_in_transaction_timeout_ms": 300, "lease_ms": 100})
    for holds in (False, True):
        await forget(connection)
        stopped = await connect(hasty, "stopped")
        try:
            assert await lease.claim(stopped, NAME, "a", hasty) == 1
            await stopped.execute("BEGIN")
            if holds:
                await lease.hold(stopped, NAME, 1)
            else:
                assert await lease.renew(stopped, NAME, 1, hasty)
            await asyncio.sleep(0.15)
            async with asyncio.timeout(5):
                assert await lease.claim(connection, NAME, "b", settings) == 2
        finally:
            stopped.terminate()


async def test_a_transaction_delays_no_renewal_but_a_take_over(settings: Settings, connection: Connection) -> None:
    async with connected(settings, "renewal") as renewal, connected(settings, "other") as other:
        assert await lease.claim(connection, NAME, "a", settings) == 1
        async with connection.transaction():
            await lease.hold(connection, NAME, 1)
            async with asyncio.timeout(10):
                assert await lease.renew(renewal, NAME, 1, settings)
                assert await lease.claim(other, NAME, "b", settings) is None, "who may not take over does not wait"
            await expire(renewal)
            claim = asyncio.create_task(lease.claim(other, NAME, "b", settings))
            await asyncio.sleep(0.2)
            assert not claim.done(), "the owner is in the middle of a commit"
            async with asyncio.timeout(10):
                assert await lease.renew(renewal, NAME, 1, settings), "also while a claim waits"
        assert await claim is None, "the lease was renewed while the claim waited"
        await expire(renewal)
        assert await lease.claim(other, NAME, "b", settings) == 2
        with pytest.raises(Fenced, match="epoch 1 of the some role was superseded"):
            await lease.hold(connection, NAME, 1)
