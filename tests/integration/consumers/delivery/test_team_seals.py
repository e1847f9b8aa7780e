"""Nothing is sent by a row that was changed in the database; commands seal rows, and a rotation seals them again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.delivery.teams import sealing
from consumers.delivery.teams.changes import Desk
from consumers.delivery.teams.sealing import rotate_teams_key, sealed_rows, unsealed_rows
from consumers.delivery.teams.subscriptions import end_subscription
from infra.keys.rotation import Rotation
from infra.keys.team_seals import TeamSeals, team_key_files
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.integration.consumers.read_api.read_api import REGISTER
from tests.unit.consumers.delivery.receivers import receiver
from tests.world.commands import Yesser
from tests.world.teams import WAITING, add_endpoint, delivering, for_hooks, live_launches, subscribe, until

ADD = ("teams", "add", "health", "media", "--name-ar", "فريق", "--name-en", "Team")


class KilledHere(Exception):
    """Stands for the end of the process."""


async def rotate(settings: Settings, overlap_days: int = 0) -> Rotation:
    """As `yesser teams rotate-key` does."""
    async with connected(settings.acting_as("administrator"), "test") as connection:
        return await rotate_teams_key(connection, team_key_files(settings), overlap_days, datetime.now(UTC))


async def test_nothing_is_sent_by_rows_that_were_added_or_changed_in_the_database_and_others_go_on(
    settings: Settings, connection: Connection
) -> None:
    settings = for_hooks(settings)
    await live_launches(connection)
    size = await connection.fetchval("SELECT size FROM log.state")
    past = {"from_index": size, "backfill_next": 0, "backfill_to": size}
    async with receiver() as right, receiver() as thief:
        for number in range(1, 4):
            await add_endpoint(connection, settings, f"e{number}", right.url(f"/{number}"))
        await subscribe(connection, "e1")
        wider, live = await subscribe(connection, "e2", rules=["quota-met"]), await subscribe(connection, "e2")
        replayed, old = await subscribe(connection, "e3", **past), await subscribe(connection, "e3", **past)
        await connection.execute("UPDATE delivery.endpoint SET url = $1 WHERE endpoint_id = 'e1'", thief.url())
        await connection.execute("UPDATE delivery.subscription SET rules = NULL WHERE subscription_id = $1", wider)
        await connection.execute("UPDATE delivery.subscription SET seal = NULL WHERE subscription_id = $1", replayed)
        await connection.execute(
            "INSERT INTO delivery.subscription (agency, team, route, from_index) VALUES ('health', 'press', 'email', 0)"
        )
        async with delivering(settings):
            await right.until(2)
            await until(connection, WAITING, 1)
        assert sorted(received.path for received in right.got) == ["/2", "/3"]
        assert thief.got == []
    rows = await connection.fetch("SELECT subscription_id, replay FROM delivery.message WHERE state = 'delivered'")
    assert sorted(tuple(row) for row in rows) == [(live, False), (old, True)]
    assert await connection.fetchval("SELECT count(*) FROM delivery.message") == 3


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
    assert "b@health.example, c@health.example" in await yesser.output("teams", "seal", "--yes", "--json")
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

    def killed(*_: Any) -> None:
        raise KilledHere

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "rotate_hash_key", killed)
        with pytest.raises(KilledHere):
            await rotate(settings)
    assert len(await unsealed_rows(connection, TeamSeals.of(settings))) == 1, "the next key is known already"
    done = await rotate(settings)
    assert done.state == "rotated"
    team_key_files(settings).previous.unlink(missing_ok=True)
    seals = TeamSeals.of(settings)
    found = [row["endpoint_id"] for _, row in await unsealed_rows(connection, seals)]
    assert (found, len(await sealed_rows(connection))) == (["e2"], 4)
