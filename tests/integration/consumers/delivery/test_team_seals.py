"""The key for which the secrets of webhooks are sealed, and the one that seals the rows of teams: each is rotated, also
where it was killed, and nothing is sent by a row that was changed in the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from consumers.delivery import secrets as sealing_key
from consumers.delivery.secrets import (
    new_secret,
    opening_keys,
    private_key,
    public_key,
    rotate_sealing_key,
    seal,
    unseal,
)
from consumers.delivery.teams import changes as sealing
from consumers.delivery.teams.changes import Desk, rotate_teams_key, sealed_rows, unsealed_rows
from consumers.delivery.teams.endpoints import Wanted, add_copies
from consumers.delivery.teams.subscriptions import end_subscription
from infra.keys.hash_keys import endpoint_key_files, load_hash_keys
from infra.keys.rotation import CannotRotate, Rotation
from infra.keys.team_seals import TeamSeals, team_key_files
from infra.postgres.connection import Connection, connected
from infra.secret_files import write_private
from infra.settings import Settings
from tests.integration.consumers.api.read_api import REGISTER
from tests.unit.consumers.delivery.receivers import receiver
from tests.world.commands import Yesser
from tests.world.teams import WAITING, add_endpoint, delivering, for_hooks, live_launches, subscribe, until

BLOCKED = "SELECT count(*) FROM pg_locks WHERE relation = 'delivery.sealing_key'::regclass AND NOT granted"
ADD = ("teams", "add", "health", "media", "--name-ar", "فريق", "--name-en", "Team")


class KilledHere(Exception):
    """Stands for the end of the process."""


def killed(*_: Any) -> Rotation:
    raise KilledHere


def now() -> datetime:
    return datetime.now(UTC)


async def rotate_secrets(settings: Settings, overlap_days: int = 30) -> Rotation:
    """As the command does: as the owner of the tables, in a session of its own."""
    async with connected(settings.acting_as("migrator"), "test") as connection:
        return await rotate_sealing_key(connection, endpoint_key_files(settings), overlap_days, now())


async def secret_of(connection: Connection, settings: Settings, endpoint_id: str) -> str:
    """What the current key alone opens."""
    key = private_key(load_hash_keys(endpoint_key_files(settings)).current)
    sealed = await connection.fetchval(
        "SELECT sealed FROM delivery.endpoint_secret WHERE endpoint_id = $1", endpoint_id
    )
    return unseal([key], endpoint_id, 1, sealed)


async def test_a_webhook_keeps_its_secret_after_a_rotation(settings: Settings, connection: Connection) -> None:
    settings = for_hooks(settings)
    await live_launches(connection)
    async with receiver() as hook:
        (secret,) = await add_endpoint(connection, settings, "e1", hook.url())
        await subscribe(connection, "e1")
        async with delivering(settings):
            await hook.until(1)
            await until(connection, WAITING, 0)
            done = await rotate_secrets(settings)
            await add_copies(connection, "e1", Wanted(since=datetime(2020, 1, 1, tzinfo=UTC)))
            await hook.until(2)
            await until(connection, WAITING, 0)
        with pytest.raises(CannotRotate):
            await rotate_secrets(settings)
        endpoint_key_files(settings).previous.unlink()
        async with delivering(settings):
            await add_copies(connection, "e1", Wanted(since=datetime(2020, 1, 1, tzinfo=UTC)))
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

    with monkeypatch.context() as patched:
        patched.setattr(sealing_key, "rotate_hash_key", killed)
        with pytest.raises(KilledHere):
            await rotate_secrets(settings)
    prepared = load_hash_keys(files).next
    assert prepared is not None
    assert await public_key(connection) == bytes(private_key(prepared).public_key)
    sealed = await connection.fetchval("SELECT sealed FROM delivery.endpoint_secret")
    assert unseal(opening_keys(settings, now()), "e1", 1, sealed) == secret, "the delivery process has both keys"
    done = await rotate_secrets(settings)
    assert load_hash_keys(files).current == prepared
    assert await secret_of(connection, settings, "e1") == secret

    write_private(files.next, files.current.read_text(encoding="utf-8"))  # killed before this file was deleted
    again = await rotate_secrets(settings)
    assert (again.old, again.new, files.next.exists()) == (done.old, done.new, False)
    assert await secret_of(connection, settings, "e1") == secret

    made = new_secret("v1")
    async with connection.transaction():
        key = await public_key(connection)
        rotating = asyncio.create_task(rotate_secrets(settings, 0))
        await until(connection, BLOCKED, 1)
        assert not rotating.done(), "it waits for those who have read the key"
        await connection.execute("UPDATE delivery.endpoint_secret SET sealed = $1", seal(key, "e1", 1, made.secret))
    await rotating
    assert await secret_of(connection, settings, "e1") == made.secret


async def rotate_seals(settings: Settings) -> Rotation:
    """As `yesser teams rotate-key` does."""
    async with connected(settings.acting_as("administrator"), "test") as connection:
        return await rotate_teams_key(connection, team_key_files(settings), 0, now())


async def test_nothing_is_sent_by_a_row_that_was_added_or_changed_in_the_database_and_others_go_on(
    settings: Settings, connection: Connection
) -> None:
    settings = for_hooks(settings)
    await live_launches(connection)
    size = await connection.fetchval("SELECT size FROM log.state")
    past: dict[str, Any] = {"from_index": size, "backfill_next": 0, "backfill_to": size}
    async with receiver() as hook, receiver() as thief:
        for name in ("live", "past", "moved"):
            await add_endpoint(connection, settings, name, hook.url())
        moved = await subscribe(connection, "moved")
        wider, live = await subscribe(connection, "live", rules=["quota-met"]), await subscribe(connection, "live")
        replayed, old = await subscribe(connection, "past", **past), await subscribe(connection, "past", **past)
        await connection.execute("UPDATE delivery.endpoint SET url = $1 WHERE endpoint_id = 'moved'", thief.url())
        await connection.execute("UPDATE delivery.subscription SET rules = NULL WHERE subscription_id = $1", wider)
        await connection.execute("UPDATE delivery.subscription SET seal = NULL WHERE subscription_id = $1", replayed)
        await connection.execute(
            "INSERT INTO delivery.subscription (agency, team, route, from_index) VALUES ('health', 'press', 'email', 0)"
        )
        async with delivering(settings):
            await hook.until(2)
            await until(connection, WAITING, 1)
            await until(connection, "SELECT max(error) FROM delivery.attempt WHERE endpoint_id = 'moved'", "no-secret")
    rows = await connection.fetch("SELECT subscription_id, replay FROM delivery.message ORDER BY subscription_id")
    assert [tuple(row) for row in rows] == [(moved, False), (live, False), (old, True)]
    assert (len(hook.got), thief.got) == (2, [])


async def test_what_a_command_writes_is_sealed_and_what_was_changed_in_the_database_by_an_operator_alone(
    settings: Settings, connection: Connection, yesser: Yesser
) -> None:
    await connection.execute(REGISTER, "health", "agency")
    await yesser.output(*ADD, "--contact", "desk@health.example")
    seals = TeamSeals.of(settings)
    await yesser.output(
        "teams", "contacts", "health", "media", "--contact", "b@health.example", "--contact", "a@health.example"
    )
    assert await unsealed_rows(connection, seals) == []
    await connection.execute("UPDATE delivery.contact SET address = 'c@health.example' WHERE rank = 2")
    (found,) = await unsealed_rows(connection, seals)
    assert found[0] == "delivery.team"
    assert "team health/media: فريق / Team, b@health.example, c@health.example" in await yesser.output(
        "teams", "seal", "--yes", "--json"
    )
    assert await unsealed_rows(connection, seals) == []
    await yesser.output("teams", "close", "health", "media")
    assert await unsealed_rows(connection, seals) == []
    await connection.execute("UPDATE delivery.team SET closed_at = NULL")
    assert len(await unsealed_rows(connection, seals)) == 1

    await add_endpoint(connection, for_hooks(settings), "e1", "http://127.0.0.1:9")
    changed, right = await subscribe(connection, "e1"), await subscribe(connection, "e1", rules=["quota-met"])
    await connection.execute("UPDATE delivery.subscription SET rules = '{x}' WHERE subscription_id = $1", changed)
    async with connected(settings.acting_as("administrator"), "test") as own:
        for subscription_id in (changed, right):
            await end_subscription(Desk(own, settings), "health", subscription_id)
    left = [row["subscription_id"] for _, row in await unsealed_rows(connection, TeamSeals.of(settings))]
    assert left == [changed], "ending it does not seal it"


async def test_a_rotation_seals_again_what_has_its_seal_and_nothing_else(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = for_hooks(settings)
    await add_endpoint(connection, settings, "e1", "http://127.0.0.1:9")
    await add_endpoint(connection, settings, "e2", "http://127.0.0.1:9")
    await subscribe(connection, "e1")
    await connection.execute("UPDATE delivery.endpoint SET team = 'press', url = 'x' WHERE endpoint_id = 'e2'")

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "rotate_hash_key", killed)
        with pytest.raises(KilledHere):
            await rotate_seals(settings)
    assert len(await unsealed_rows(connection, TeamSeals.of(settings))) == 1, "the next key is known already"
    done = await rotate_seals(settings)
    assert done.state == "rotated"
    team_key_files(settings).previous.unlink(missing_ok=True)
    seals = TeamSeals.of(settings)
    found = [row["endpoint_id"] for _, row in await unsealed_rows(connection, seals)]
    assert (found, len(await sealed_rows(connection))) == (["e2"], 4)
