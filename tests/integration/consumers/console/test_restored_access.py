"""A database comes back from a copy: access that was taken since the copy is taken again before the first request."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from infra.keys.access_changes import AccessChanges, reapply_at_start
from infra.postgres.connection import connected
from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.corners import drop_database, execute
from tests.stack import superusers_address, with_database
from tests.world.commands import Yesser
from tests.world.consoles import add_account, console, sign_in, write_accounts_key
from tests.world.senders import bearer, run_gateway


class Life:
    """Two copies of the database, and what was changed after them."""

    def __init__(self, settings: Settings) -> None:
        assert settings.postgres is not None
        self.name = settings.postgres.rpartition("/")[2]
        self.names = (f"{self.name}_copy", f"{self.name}_second")
        self.settings = settings
        self.copy, self.second = (
            settings.model_copy(update={"postgres": with_database(settings.postgres, name)}) for name in self.names
        )
        self.tokens: dict[str, str] = {}
        self.before, self.after = (Yesser(subprocess_environment(one)) for one in (self.settings, self.copy))
        """Commands on the database, and on its first copy."""

    async def begin(self) -> None:
        write_accounts_key(self.settings)
        async with connected(self.settings, "test") as opened:
            for holder in ("kept", "taken"):
                made = await create_token(opened, hash_key(self.settings), TokenRequest("auditor", holder, 1))
                self.tokens[holder] = made.token
            for username in ("kept", "disabled", "replaced"):
                await add_account(opened, username, "office")
        copies = (f"CREATE DATABASE {name} TEMPLATE {self.name}" for name in self.names)
        await execute(superusers_address(self.settings), *copies)

    async def go_on(self) -> None:
        """What the copies lack."""
        await self.before.document("tokens", "revoke", self.tokens["taken"].split("_")[1])
        await self.before.document("accounts", "disable", "disabled")
        await self.before.document("accounts", "password", "replaced")
        await self.before.document("accounts", "add", "later", "--role", "office")
        self.later = (await self.before.document("tokens", "create", "later", "--kind", "auditor"))["key_id"]
        await self.before.document("accounts", "disable", "kept")
        await self.before.document("accounts", "enable", "kept")

    async def token_answers(self, copy: Settings) -> dict[str, int]:
        async with connected(copy, "test") as opened, run_gateway(copy, opened) as gateway:
            return {
                holder: (await gateway.client.get("/v1/log/entries/0", headers=bearer(token))).status_code
                for holder, token in self.tokens.items()
            }

    async def sign_ins(self, copy: Settings) -> dict[str, int]:
        async with console(copy) as served:
            found = {}
            for username in ("kept", "disabled", "replaced"):
                async with served.visitor() as client:
                    found[username] = await sign_in(client, username)
            return found


@pytest.fixture
async def life(settings: Settings) -> AsyncIterator[Life]:
    found = Life(settings)
    await found.begin()
    try:
        await found.go_on()
        yield found
    finally:
        for name in found.names:
            await drop_database(superusers_address(settings), name)


AT_THE_END = """
CREATE FUNCTION console.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the commit fails'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON console.account DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION console.refuse();
"""
TAKEN = {"kept": 303, "disabled": 401, "replaced": 401}


async def test_access_that_was_taken_after_the_copy_is_taken_again(life: Life) -> None:
    assert await life.sign_ins(life.copy) == dict.fromkeys(TAKEN, 303), "the copy is older"
    found = (await life.after.document("recover", "--access-only"))["access"]
    assert found["sessions_ended"] == 3
    key_id = life.tokens["taken"].split("_")[1]
    assert (found["revoked"], found["disabled"], found["without_password"]) == ([key_id], ["disabled"], ["replaced"])
    assert found["missing"] == ["account later", f"token {life.later}"]
    assert await life.token_answers(life.copy) == {"kept": 404, "taken": 401}
    assert await life.sign_ins(life.copy) == TAKEN
    again = (await life.after.document("recover", "--access-only"))["access"]
    assert (again["revoked"], again["disabled"], again["without_password"]) == ([], [], [])
    assert again["sessions_ended"] == 1, "of the account that signed in"

    at_start = await reapply_at_start(life.second)
    assert at_start is not None
    assert at_start.applied, "before any process starts"
    assert await life.sign_ins(life.second) == TAKEN
    second_time = await reapply_at_start(life.second)
    assert second_time is not None
    assert (second_time.applied, second_time.sessions_ended) == (False, 0), "a start ends no session"
    assert (await life.token_answers(life.second))["taken"] == 401

    async with connected(life.settings, "test") as connection:
        await connection.execute(AT_THE_END)
    result = await life.before.run("accounts", "add", "never", "--role", "office")
    assert "the commit fails" in str(result.exception)
    changes, _ = AccessChanges.of(life.settings).read()
    added = [change.id for change in changes if (change.kind, change.change) == ("account", "added")]
    assert added == ["later"], "an account that was not added is not on record"

    AccessChanges.of(life.copy).path.unlink()
    result = await life.after.run("recover", "--access-only")
    assert "is not known here" in str(result.exception), "a machine without the record says so"
    assert "access/changes" in str(result.exception)
