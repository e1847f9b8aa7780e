"""Sessions end by time, by sign-out, by a new password and with their account; accounts are managed by commands."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

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
from infra.postgres.connection import Connection, connected
from tests.stack import TestStack, corner
from tests.world.consoles import PASSWORD, SEALS, ConsoleApp, add_account, change_password, console, sign_in
from tests.world.processes import Clock

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Scene:
    """One console for all tests, each of which has accounts of its own."""

    connection: Connection
    served: ConsoleApp


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(stack: TestStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    home = tmp_path_factory.mktemp("sessions") / "home"
    async with (
        corner(stack, home) as settings,
        connected(settings, "test") as connection,
        console(settings) as served,
    ):
        yield Scene(connection, served)


async def test_a_session_ends_when_it_is_idle_and_after_its_longest_time(scene: Scene) -> None:
    await add_account(scene.connection, "clerk", "office")
    parts, clock = scene.served.parts, Clock(datetime.now(UTC))
    sessions = Sessions(parts.own, parts.settings, SEALS, clock)
    for idle_h, ends in ((1.9, False), (2.1, True)):
        value = await sessions.begin(Account("clerk", "office"))
        clock.now += timedelta(hours=idle_h)
        assert (await sessions.find(value) is None) is ends, idle_h
    value = await sessions.begin(Account("clerk", "office"))
    for _ in range(7):
        assert await sessions.find(value) is not None
        clock.now += timedelta(hours=1.8)
    for other in (value, "another", "x" * 10_000):
        assert await sessions.find(other) is None


async def test_a_disabled_account_is_out_at_once(scene: Scene) -> None:
    await add_account(scene.connection, "gone", "office")
    async with scene.served.signed_in("gone") as client:
        for elsewhere in ("//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example"):
            given = {"username": "gone", "password": PASSWORD, "next": elsewhere}
            assert (await client.post("/sign-in", data=given)).headers["location"] == "/"
        assert (await client.get("/account")).status_code == 200
        async with scene.connection.transaction():
            await set_disabled(scene.connection, SEALS, "gone", datetime.now(UTC))
        assert (await client.get("/account")).status_code == 303
        assert await sign_in(client, "gone") == 401


async def test_a_suspended_agency_reads_nothing_until_it_is_resumed(scene: Scene) -> None:
    connection, served = scene.connection, scene.served
    await add_account(connection, "suspended", "agency", "health")
    await add_account(connection, "other", "agency", "labour")
    async with served.signed_in("suspended") as client, served.signed_in("other") as other:
        assert (await client.get("/workspace/tokens")).status_code == 200
        await connection.execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")
        answer = await client.get("/workspace/tokens")
        assert (answer.status_code, "The agency is suspended" in answer.text) == (403, True)
        assert (await client.get("/v1/entries")).status_code == 403
        assert (await client.get("/account")).status_code == 200
        assert (await other.get("/workspace/tokens")).status_code == 200
        await connection.execute("DELETE FROM platform.suspension")
        assert (await client.get("/workspace/tokens")).status_code == 200


async def test_a_session_needs_its_secret_and_ends_with_a_new_password_or_a_later_beginning(scene: Scene) -> None:
    await add_account(scene.connection, "desk", "office")
    served = scene.served
    async with served.signed_in("desk") as client, served.signed_in("desk") as other:
        forms = [path for path, methods in pages(served.parts).openapi()["paths"].items() if "post" in methods]
        assert {"/account/password", "/sign-in"} <= {*forms}
        for path in forms:
            answer = await client.post(re.sub(r"[{}]", "", path), data={"csrf": "guess"})
            # Signing in again needs no session: its form comes from our own page.
            assert answer.status_code == (401 if path == "/sign-in" else 403), path
        for password, new in ((PASSWORD, "short"), ("wrong", "another password")):
            assert (await change_password(client, password, new)).status_code == 422
        changed = await change_password(client, PASSWORD, "another password")
        assert changed.headers["location"] == "/account?changed=password"
        assert (await client.get("/account")).status_code == 200
        assert (await other.get("/account")).status_code == 303
        assert await sign_in(other, "desk") == 401
        await scene.connection.execute("UPDATE console.session SET created_at = now() + interval '1 day'")
        assert (await client.get("/account")).status_code == 303, "a session cannot be made longer"


FORGED = "INSERT INTO console.session (session_sha256, username, csrf, seal) VALUES (sha256($1), 'whole', 'x', $2)"


async def test_a_session_that_no_console_began_signs_nobody_in(scene: Scene) -> None:
    await add_account(scene.connection, "whole", "office")
    async with scene.served.signed_in("whole") as client:
        for value, seal in (("unsealed", None), ("forged", bytes(32))):
            await scene.connection.execute(FORGED, value.encode(), seal)
            client.cookies.delete(COOKIE)
            client.cookies.set(COOKIE, value)
            assert (await client.get("/account")).headers["location"].startswith("/sign-in"), value


async def test_an_account_that_was_changed_in_the_database_signs_nobody_in(scene: Scene) -> None:
    connection = scene.connection
    changes = (
        "role = 'office', holder = NULL",
        "holder = 'labour'",
        "password_hash = NULL",
        "seal = NULL",
        "oidc_subject = 'a stranger'",
    )
    for number, change in enumerate(changes):
        desk = f"desk-{number}"
        await add_account(connection, desk, "agency", "health")
        async with scene.served.signed_in(desk) as client:
            await connection.execute(f"UPDATE console.account SET {change} WHERE username = $1", desk)
            assert (await client.get("/account")).headers["location"].startswith("/sign-in"), change
            assert await sign_in(client, desk) == 401, change
        assert await find_by_subject(connection, SEALS, "a stranger") is None
        with pytest.raises(AccountChanged):
            await set_disabled(connection, SEALS, desk, None)
    await seal_accounts(connection, SEALS, await list_accounts(connection))
    for number in range(len(changes)):
        assert await find_account(connection, SEALS, f"desk-{number}") is not None, "an operator has compared it"
