"""Sessions end by time, by sign-out, by a new password and with their account; accounts are managed by commands."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from consumers.console.accounts.accounts import (
    Account,
    AccountChanged,
    find_account,
    find_by_subject,
    list_accounts,
    seal_accounts,
    set_disabled,
)
from consumers.console.accounts.sessions import COOKIE, Sessions
from consumers.console.app import pages
from infra.postgres.connection import Connection, create_pool
from infra.settings import Settings
from tests.world.consoles import PASSWORD, SEALS, add_account, change_password, console, sign_in


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def sessions_of_desk(settings: Settings, connection: Connection) -> AsyncIterator[tuple[Sessions, Clock]]:
    await add_account(connection, "desk", "office")
    pool, clock = await create_pool(settings.acting_as("console"), "test", size=1), Clock()
    yield Sessions(pool, settings, SEALS, clock), clock
    await pool.close()


async def test_a_session_ends_when_it_is_idle(settings: Settings, connection: Connection) -> None:
    async with sessions_of_desk(settings, connection) as (sessions, clock):
        for idle_h, ends in ((1.9, False), (2.1, True)):
            value = await sessions.begin(Account("desk", "office"))
            clock.now += timedelta(hours=idle_h)
            assert (await sessions.find(value) is None) is ends, idle_h


async def test_a_session_ends_after_its_longest_time(settings: Settings, connection: Connection) -> None:
    async with sessions_of_desk(settings, connection) as (sessions, clock):
        value = await sessions.begin(Account("desk", "office"))
        for _ in range(7):
            assert await sessions.find(value) is not None
            clock.now += timedelta(hours=1.8)
        for other in (value, "another", "x" * 10_000):
            assert await sessions.find(other) is None


async def test_a_disabled_account_is_out_at_once(settings: Settings, connection: Connection) -> None:
    await add_account(connection, "desk", "office")
    async with console(settings) as served, served.signed_in("desk") as client:
        assert (await client.get("/account")).status_code == 200
        async with connection.transaction():
            await set_disabled(connection, SEALS, "desk", datetime.now(UTC))
        assert (await client.get("/account")).status_code == 303
        assert await sign_in(client, "desk") == 401


async def test_a_suspended_agency_reads_nothing_until_it_is_resumed(settings: Settings, connection: Connection) -> None:
    await add_account(connection, "desk", "agency", "health")
    await add_account(connection, "other", "agency", "labour")
    async with console(settings) as served, served.signed_in("desk") as client, served.signed_in("other") as other:
        assert (await client.get("/workspace/tokens")).status_code == 200
        await connection.execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")
        answer = await client.get("/workspace/tokens")
        assert (answer.status_code, "The agency is suspended" in answer.text) == (403, True)
        assert (await client.get("/v1/entries")).status_code == 403
        assert (await client.get("/account")).status_code == 200
        assert (await other.get("/workspace/tokens")).status_code == 200
        await connection.execute("DELETE FROM platform.suspension")
        assert (await client.get("/workspace/tokens")).status_code == 200


async def test_a_new_password_ends_the_other_sessions(settings: Settings, connection: Connection) -> None:
    await add_account(connection, "desk", "office")
    async with console(settings) as served, served.signed_in("desk") as client, served.signed_in("desk") as other:
        for password, new in ((PASSWORD, "short"), ("wrong", "another password")):
            assert (await change_password(client, password, new)).status_code == 422
        changed = await change_password(client, PASSWORD, "another password")
        assert changed.headers["location"] == "/account?changed=password"
        assert (await client.get("/account")).status_code == 200
        assert (await other.get("/account")).status_code == 303
        assert await sign_in(other, "desk") == 401


async def test_every_form_needs_the_sessions_secret(settings: Settings, connection: Connection) -> None:
    await add_account(connection, "desk", "office")
    async with console(settings) as served, served.signed_in("desk") as client:
        forms = [path for path, methods in pages(served.parts).openapi()["paths"].items() if "post" in methods]
        assert {"/account/password", "/sign-in"} <= {*forms}
        for path in forms:
            answer = await client.post(re.sub(r"[{}]", "", path), data={"csrf": "guess"})
            # Signing in again needs no session: its form comes from our own page.
            assert answer.status_code == (401 if path == "/sign-in" else 403), path


FORGED = "INSERT INTO console.session (session_sha256, username, csrf, seal) VALUES (sha256($1), 'desk', 'x', $2)"


async def test_a_session_that_no_console_began_signs_nobody_in(settings: Settings, connection: Connection) -> None:
    await add_account(connection, "desk", "office")
    async with console(settings) as served, served.signed_in("desk") as client:
        for value, seal in (("unsealed", None), ("forged", bytes(32))):
            await connection.execute(FORGED, value.encode(), seal)
            client.cookies.delete(COOKIE)
            client.cookies.set(COOKIE, value)
            assert (await client.get("/account")).headers["location"].startswith("/sign-in"), value


async def test_an_account_that_was_changed_in_the_database_signs_nobody_in(
    settings: Settings, connection: Connection
) -> None:
    changes = (
        "role = 'office', holder = NULL",
        "holder = 'labour'",
        "password_hash = NULL",
        "seal = NULL",
        "oidc_subject = 'a stranger'",
    )
    async with console(settings) as served:
        for number, change in enumerate(changes):
            desk = f"desk-{number}"
            await add_account(connection, desk, "agency", "health")
            async with served.signed_in(desk) as client:
                await connection.execute(f"UPDATE console.account SET {change} WHERE username = $1", desk)
                assert (await client.get("/account")).headers["location"].startswith("/sign-in"), change
                assert await sign_in(client, desk) == 401, change
            assert await find_by_subject(connection, SEALS, "a stranger") is None
            with pytest.raises(AccountChanged):
                await set_disabled(connection, SEALS, desk, None)
    await seal_accounts(connection, SEALS, await list_accounts(connection))
    for number in range(len(changes)):
        assert await find_account(connection, SEALS, f"desk-{number}") is not None, "an operator has compared it"


async def test_a_session_cannot_be_made_longer(settings: Settings, connection: Connection) -> None:
    await add_account(connection, "desk", "office")
    async with console(settings) as served, served.signed_in("desk") as client:
        await connection.execute("UPDATE console.session SET created_at = now() + interval '1 day'")
        assert (await client.get("/account")).status_code == 303
