"""The key for which the secrets of webhooks are sealed is rotated while they are sent and registered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from consumers.delivery import sealing_key
from consumers.delivery.sealing_key import rotate_sealing_key
from consumers.delivery.secrets import new_secret, opening_keys, private_key, public_key, seal, unseal
from consumers.delivery.webhooks.redelivery import Wanted, redeliver
from infra.keys.hash_keys import endpoint_key_files, load_hash_keys
from infra.keys.rotation import CannotRotate, Rotation
from infra.postgres.connection import Connection, connect
from infra.secret_files import write_private
from infra.settings import Settings
from tests.unit.consumers.delivery.receivers import receiver
from tests.world.teams import WAITING, add_endpoint, delivering, for_hooks, live_launches, subscribe, until

BLOCKED = "SELECT count(*) FROM pg_locks WHERE relation = 'delivery.sealing_key'::regclass AND NOT granted"


def now() -> datetime:
    return datetime.now(UTC)


async def rotate(settings: Settings, overlap_days: int = 30) -> Rotation:
    """As the command does: as the owner of the tables, in a session of its own."""
    connection = await connect(settings.acting_as("migrator"))
    try:
        return await rotate_sealing_key(connection, endpoint_key_files(settings), overlap_days, now())
    finally:
        await connection.close()


async def secret_of(connection: Connection, settings: Settings, endpoint_id: str) -> str:
    """What the current key alone opens."""
    key = private_key(load_hash_keys(endpoint_key_files(settings)).current)
    sealed = await connection.fetchval(
        "SELECT sealed FROM delivery.endpoint_secret WHERE endpoint_id = $1", endpoint_id
    )
    return unseal([key], endpoint_id, 1, sealed)


async def test_a_webhook_is_signed_with_the_same_secret_after_a_rotation(
    settings: Settings, connection: Connection
) -> None:
    settings = for_hooks(settings)
    await live_launches(connection)
    async with receiver() as hook:
        (secret,) = await add_endpoint(connection, settings, "e1", hook.url())
        await subscribe(connection, "e1")
        async with delivering(settings):
            await hook.until(1)
            await until(connection, WAITING, 0)
            done = await rotate(settings)
            await redeliver(connection, "e1", Wanted(since=datetime(2020, 1, 1, tzinfo=UTC)))
            await hook.until(2)
            await until(connection, WAITING, 0)
        with pytest.raises(CannotRotate):
            await rotate(settings)
        endpoint_key_files(settings).previous.unlink()
        async with delivering(settings):
            await redeliver(connection, "e1", Wanted(since=datetime(2020, 1, 1, tzinfo=UTC)))
            await hook.until(3)
    for got in hook.got:
        Webhook(secret).verify(got.body, got.headers)
    assert done.state == "rotated"
    assert await secret_of(connection, settings, "e1") == secret


async def test_a_rotation_that_was_killed_is_completed_and_every_secret_is_sealed_for_the_key_in_use(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = for_hooks(settings)
    files = endpoint_key_files(settings)
    (secret,) = await add_endpoint(connection, settings, "e1", "http://127.0.0.1:9")

    def killed(*_: object) -> Rotation:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sealing_key, "rotate_hash_key", killed)
        with pytest.raises(KeyboardInterrupt):
            await rotate(settings)
    prepared = load_hash_keys(files).next
    assert prepared is not None
    assert await public_key(connection) == bytes(private_key(prepared).public_key)
    sealed = await connection.fetchval("SELECT sealed FROM delivery.endpoint_secret")
    assert unseal(opening_keys(settings, now()), "e1", 1, sealed) == secret, "the delivery process has both keys"
    done = await rotate(settings)
    assert load_hash_keys(files).current == prepared
    assert await secret_of(connection, settings, "e1") == secret

    write_private(files.next, files.current.read_text(encoding="utf-8"))  # killed before this file was deleted
    again = await rotate(settings)
    assert (again.old, again.new, files.next.exists()) == (done.old, done.new, False)
    assert await secret_of(connection, settings, "e1") == secret

    made = new_secret("v1")
    async with connection.transaction():
        key = await public_key(connection)
        rotating = asyncio.create_task(rotate(settings, 0))
        await until(connection, BLOCKED, 1)
        assert not rotating.done(), "it waits for those who have read the key"
        await connection.execute("UPDATE delivery.endpoint_secret SET sealed = $1", seal(key, "e1", 1, made.secret))
    await rotating
    assert await secret_of(connection, settings, "e1") == made.secret
