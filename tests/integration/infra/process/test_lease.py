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


async def test_a_free_lease_is_taken_and_a_held_one_is_not(settings: Settings, connection: Connection) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    assert await lease.claim(connection, NAME, "b", settings) is None
    assert await lease.claim(connection, "another role", "b", settings) == 1


async def test_an_owner_that_comes_back_gets_a_new_epoch(settings: Settings, connection: Connection) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    assert await lease.claim(connection, NAME, "a", settings) == 2
    assert not await lease.renew(connection, NAME, 1, settings), "its old connection may not go on"
    assert await lease.renew(connection, NAME, 2, settings)


async def test_an_expired_lease_is_taken_over_and_the_old_owner_cannot_renew(
    settings: Settings, connection: Connection
) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await expire(connection)
    assert await lease.claim(connection, NAME, "b", settings) == 2
    assert not await lease.renew(connection, NAME, 1, settings)
    await lease.release(connection, NAME, 1)
    assert await lease.claim(connection, NAME, "c", settings) is None, "who was superseded releases nothing"


async def test_an_expired_lease_that_nobody_wanted_can_be_renewed(settings: Settings, connection: Connection) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await expire(connection)
    assert await lease.renew(connection, NAME, 1, settings)
    assert await lease.claim(connection, NAME, "b", settings) is None


async def test_a_released_lease_is_free_at_once(settings: Settings, connection: Connection) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await lease.release(connection, NAME, 1)
    assert await holder(connection, settings) is None
    assert await lease.claim(connection, NAME, "b", settings) == 2
    assert await holder(connection, settings) == "b"


async def test_a_lease_given_by_a_clock_that_was_ahead_is_free_and_its_owner_is_fenced(
    settings: Settings, connection: Connection
) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await set_clock_back(connection, 3_600)
    assert await holder(connection, settings) is None
    assert await lease.claim(connection, NAME, "b", settings) == 2
    assert await holder(connection, settings) == "b"
    assert not await lease.renew(connection, NAME, 1, settings)
    with pytest.raises(Fenced):
        await lease.hold(connection, NAME, 1)


async def test_an_owner_that_renews_first_keeps_its_lease_when_the_clock_is_set_back(
    settings: Settings, connection: Connection
) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await set_clock_back(connection, 3_600)
    assert await lease.renew(connection, NAME, 1, settings)
    assert await lease.claim(connection, NAME, "b", settings) is None


async def test_a_lease_that_could_have_been_given_now_is_held_also_a_long_one(
    settings: Settings, connection: Connection
) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await set_clock_back(connection, 30)
    assert await lease.claim(connection, NAME, "b", settings) is None
    longest = settings.model_copy(update={"lease_ms": 60_000})
    assert await lease.renew(connection, NAME, 1, longest)
    for other in (longest, settings, settings.model_copy(update={"lease_ms": 1})):
        assert await lease.claim(connection, NAME, "b", other) is None, "whatever the length of the other's leases"
        assert await holder(connection, other) == "a"


async def test_a_released_lease_is_free_also_when_the_clock_is_set_back(
    settings: Settings, connection: Connection
) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await lease.release(connection, NAME, 1)
    await set_clock_back(connection, 30)
    assert await lease.claim(connection, NAME, "b", settings) == 2


async def test_of_many_that_want_it_at_once_one_gets_it(settings: Settings) -> None:
    connections = [await connect(settings, f"claimer {i}") for i in range(8)]
    try:
        claims = [lease.claim(c, NAME, f"owner {i}", settings) for i, c in enumerate(connections)]
        assert sorted(await asyncio.gather(*claims), key=str) == [1, *[None] * 7]
    finally:
        await asyncio.gather(*(c.close() for c in connections))


async def test_a_claim_waits_for_the_transaction_of_the_owner_and_then_respects_its_renewal(
    settings: Settings, connection: Connection
) -> None:
    assert await lease.claim(connection, NAME, "a", settings) == 1
    await expire(connection)
    async with connected(settings, "other") as other:
        async with connection.transaction():
            assert await lease.renew(connection, NAME, 1, settings)
            claim = asyncio.create_task(lease.claim(other, NAME, "b", settings))
            await asyncio.sleep(0.2)
            assert not claim.done(), "the owner is in the middle of a commit"
        assert await claim is None


@pytest.mark.alone
@pytest.mark.parametrize("holds", [False, True], ids=["renews", "holds"])
async def test_an_owner_stopped_in_its_transaction_is_ended_by_the_database(
    settings: Settings, connection: Connection, holds: bool
) -> None:
    hasty = settings.model_copy(update={"idle_in_transaction_timeout_ms": 300, "lease_ms": 100})
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


async def test_a_transaction_that_holds_the_lease_delays_no_renewal_and_every_take_over(
    settings: Settings, connection: Connection
) -> None:
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
