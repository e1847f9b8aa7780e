"""A database comes back from a copy: access that was taken since the copy is taken again before the first request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from click.testing import CliRunner

from consumers.console.accounts.commands import accounts
from consumers.console.app import application
from consumers.operations.recovery import recover_command
from infra.keys.access_changes import AccessChanges, reapply_at_start
from infra.postgres.connection import connect
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from producers.agencies.tokens_commands import tokens
from tests.corners import drop_database, execute
from tests.integration.consumers.console.at_the_console import (
    ADDRESS,
    PASSWORD,
    add_account,
    console,
    write_accounts_key,
)
from tests.stack import superusers_address, with_database
from tests.world.senders import bearer, run_gateway


class Life:
    """A copy of the database, and what was changed after it."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings.postgres is not None
        self.name = f"{settings.postgres.rpartition('/')[2]}_copy"
        self.settings = settings
        self.copy = settings.model_copy(update={"postgres": with_database(settings.postgres, self.name)})
        self.tokens: dict[str, str] = {}
        self._patch = monkeypatch
        monkeypatch.setenv("YESSER_HOME", str(settings.home))
        self.use(settings)

    def use(self, settings: Settings) -> None:
        assert settings.postgres is not None
        self._patch.setenv("YESSER_POSTGRES", settings.postgres)

    async def run(self, command: Any, *words: str) -> Any:
        result = await asyncio.to_thread(CliRunner().invoke, command, [*words, "--json"])
        assert result.exit_code == 0, (result.output, result.exception)
        return orjson.loads(result.stdout)

    async def begin(self) -> None:
        write_accounts_key(self.settings)
        opened = await connect(self.settings, "test")
        for holder in ("kept", "taken"):
            made = await create_token(opened, hash_key(self.settings), TokenRequest("auditor", holder, 1))
            self.tokens[holder] = made.token
        for username in ("kept", "disabled", "replaced"):
            await add_account(opened, username, "office")
        await opened.close()
        await execute(
            superusers_address(self.settings),
            f"CREATE DATABASE {self.name} TEMPLATE {self.settings.postgres.rpartition('/')[2]}",  # type: ignore[union-attr]
        )

    async def go_on(self) -> None:
        """What the copy lacks."""
        await self.run(tokens, "revoke", self.tokens["taken"].split("_")[1])
        await self.run(accounts, "disable", "disabled")
        await self.run(accounts, "password", "replaced")
        await self.run(accounts, "add", "later", "--role", "office")
        self.later = (await self.run(tokens, "create", "later", "--kind", "auditor"))["key_id"]
        await self.run(accounts, "disable", "kept")
        await self.run(accounts, "enable", "kept")

    async def token_answers(self) -> dict[str, int]:
        opened = await connect(self.copy, "test")
        async with run_gateway(self.copy, opened) as gateway:
            found = {
                holder: (await gateway.client.get("/v1/log/entries/0", headers=bearer(token))).status_code
                for holder, token in self.tokens.items()
            }
        await opened.close()
        return found

    async def sign_ins(self) -> dict[str, int]:
        async with console(self.copy) as parts:
            transport = httpx.ASGITransport(application(parts), raise_app_exceptions=False)
            found = {}
            for username in ("kept", "disabled", "replaced"):
                async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
                    answer = await client.post("/sign-in", data={"username": username, "password": PASSWORD})
                    found[username] = answer.status_code
            return found


@pytest.fixture
async def life(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Life]:
    found = Life(settings, monkeypatch)
    await found.begin()
    try:
        await found.go_on()
        found.use(found.copy)
        yield found
    finally:
        await drop_database(superusers_address(settings), found.name)


async def test_access_that_was_taken_after_the_copy_is_taken_again(life: Life) -> None:
    assert await life.sign_ins() == dict.fromkeys(("kept", "disabled", "replaced"), 303), "the copy is older"
    found = (await life.run(recover_command, "--access-only"))["access"]
    assert found["sessions_ended"] == 3
    key_id = life.tokens["taken"].split("_")[1]
    assert (found["revoked"], found["disabled"], found["without_password"]) == ([key_id], ["disabled"], ["replaced"])
    assert found["missing"] == ["account later", f"token {life.later}"]
    assert await life.token_answers() == {"kept": 404, "taken": 401}
    assert await life.sign_ins() == {"kept": 303, "disabled": 401, "replaced": 401}
    again = (await life.run(recover_command, "--access-only"))["access"]
    assert (again["revoked"], again["disabled"], again["without_password"]) == ([], [], [])
    assert again["sessions_ended"] == 1, "of the account that signed in"


async def test_it_is_taken_again_before_any_process_starts(life: Life) -> None:
    found = await reapply_at_start(life.copy)
    assert found is not None
    assert found.applied
    assert await life.sign_ins() == {"kept": 303, "disabled": 401, "replaced": 401}
    again = await reapply_at_start(life.copy)
    assert again is not None
    assert (again.applied, again.sessions_ended) == (False, 0), "a start ends no session"
    assert (await life.token_answers())["taken"] == 401


async def test_a_machine_without_the_record_says_so(life: Life) -> None:
    AccessChanges.of(life.copy).path.unlink()
    result = await asyncio.to_thread(CliRunner().invoke, recover_command, ["--access-only"])
    assert "is not known here" in str(result.exception)
    assert "access/changes" in str(result.exception)


AT_THE_END = """
CREATE FUNCTION console.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the commit fails'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON console.account DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION console.refuse();
"""


async def test_an_account_that_was_not_added_is_not_on_record_as_added(life: Life) -> None:
    life.use(life.settings)
    opened = await connect(life.settings, "test")
    await opened.execute(AT_THE_END)
    await opened.close()
    result = await asyncio.to_thread(CliRunner().invoke, accounts, ["add", "never", "--role", "office"])
    assert "the commit fails" in str(result.exception)
    changes, _ = AccessChanges.of(life.settings).read()
    added = [change.id for change in changes if (change.kind, change.change) == ("account", "added")]
    assert added == ["later"]
