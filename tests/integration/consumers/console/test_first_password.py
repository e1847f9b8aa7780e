"""A password that an administrator made opens one page, where the person chooses another."""

from __future__ import annotations

import asyncio

import pytest

from infra.http.problems import Problem
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.producers.gateway.console_callers import authenticate
from tests.world.commands import Yesser
from tests.world.consoles import (
    SEALS,
    ConsoleApp,
    add_account,
    change_password,
    console,
    csrf_of,
    sign_in,
    write_accounts_key,
    write_console_key,
)
from tests.world.senders import REGISTER

CHOOSE = "/account/password"
NEW = "a password of my own"


@pytest.fixture(autouse=True)
def key(settings: Settings) -> None:
    write_accounts_key(settings)


async def new_account(yesser: Yesser, *options: str) -> str:
    """The first password of `desk`."""
    made = await yesser.document("accounts", "add", "desk", *(options or ("--role", "office")))
    return str(made["password"])


async def test_a_first_password_opens_one_page_until_it_is_changed(
    settings: Settings, connection: Connection, yesser: Yesser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await new_account(yesser)
    async with console(settings) as served:
        async with (
            served.signed_in("desk", password=first) as client,
            served.signed_in("desk", password=first) as other,
        ):
            assert (await client.get("/")).headers["location"] == CHOOSE
            page = await client.get(CHOOSE)
            assert (page.status_code, "Choose a password" in page.text) == (200, True)
            assert "main-nav" not in page.text, "no page can be opened yet"
            same = await change_password(client, first, first)
            assert (same.status_code, "It is your current password" in same.text) == (422, True)
            assert (await change_password(client, "not the first", NEW)).status_code == 422
            assert (await client.get("/plan")).headers["location"] == CHOOSE
            chosen = await change_password(client, first, NEW)
            assert (chosen.status_code, chosen.headers["location"]) == (303, "/")
            assert (await client.get("/account")).status_code == 200
            assert (await other.get("/account")).headers["location"].startswith("/sign-in"), "the other has ended"
            row = await connection.fetchrow("SELECT * FROM console.account")
            assert row is not None
            assert (row["must_change_password"], SEALS.is_account(row)) == (False, True)

            again = (await yesser.document("accounts", "password", "desk"))["password"]
            assert (await client.get("/account")).headers["location"].startswith("/sign-in")
        async with served.signed_in("desk", "ar", password=again) as client:
            assert (await client.get("/account")).headers["location"] == CHOOSE, "an administrator's is a first one"
            assert "اختر كلمة مرور" in (await client.get(CHOOSE)).text
        await of_no_use_in_the_moment_that_it_is_replaced(served, again, monkeypatch)

        sealed = (await yesser.document("accounts", "password", "desk"))["password"]
        async with served.signed_in("desk", password=sealed) as client:
            await connection.execute("UPDATE console.account SET must_change_password = false")
            assert (await client.get("/account")).headers["location"].startswith("/sign-in"), "the mark is sealed"
            assert await sign_in(client, "desk", sealed) == 401


async def of_no_use_in_the_moment_that_it_is_replaced(
    served: ConsoleApp, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else gave it, and it was right, just before the person's own became valid."""
    async with (
        served.signed_in("desk", password=first) as client,
        served.signed_in("desk", password=first) as other,
    ):
        csrf = await csrf_of(other)
        compare = served.parts.passwords.is_password
        waiting, chosen = asyncio.Semaphore(0), asyncio.Event()

        async def slow(kept: str | None, password: str) -> bool:
            found = await compare(kept, password)
            waiting.release()
            await chosen.wait()
            return found

        monkeypatch.setattr(served.parts.passwords, "is_password", slow)
        given = {"csrf": csrf, "password": first, "new_password": "a password of somebody else"}
        late = [
            asyncio.create_task(other.post(CHOOSE, data=given)),
            asyncio.create_task(other.post("/sign-in", data={"username": "desk", "password": first})),
        ]
        for _ in late:
            await waiting.acquire()
        monkeypatch.setattr(served.parts.passwords, "is_password", compare)
        assert (await change_password(client, first, NEW)).status_code == 303
        chosen.set()
        assert [(await answer).status_code for answer in late] == [422, 401]
        assert (await client.get("/account")).status_code == 200
        async with served.signed_in("desk", password=NEW) as again:
            assert (await again.get("/account")).status_code == 200


async def test_the_gateway_takes_no_token_of_an_account_with_a_first_password(
    settings: Settings, connection: Connection, yesser: Yesser
) -> None:
    await connection.execute(REGISTER, "health", "agency")
    for unknown in ("--role agency --agency healht", "--role partner --partner healht/ACME"):
        refused = await yesser.run("accounts", "add", "desk", *unknown.split())
        assert (refused.exit_code, "healht is not registered; write health." in refused.output) == (2, True)
    await new_account(yesser, "--role", "agency", "--agency", "health")
    write_console_key(settings)
    await add_account(connection, "other", "agency", "health")
    assert (await authenticate(settings, "other", "agency", "health")).account == "other"
    with pytest.raises(Problem, match="unauthenticated"):
        await authenticate(settings, "desk", "agency", "health")
