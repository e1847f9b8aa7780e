"""A password that an administrator made opens one page, where the person chooses another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from click.testing import CliRunner

from consumers.console.accounts.commands import accounts
from consumers.console.app import application
from consumers.console.parts import Parts
from infra.http.problems import Problem
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.console.asked_routes import CONSTANTS, requests_of
from tests.integration.consumers.console.at_the_console import (
    ADDRESS,
    SEALS,
    add_account,
    console,
    csrf_of,
    write_accounts_key,
)
from tests.integration.consumers.console.console_process import local_issuer, run_console, write_console_key
from tests.integration.consumers.console.test_sign_in import BEGIN, at_provider
from tests.integration.producers.gateway.test_console_tokens import authenticate
from tests.world.senders import REGISTER

CHOOSE = "/account/password"
OPEN = {
    f"GET {CHOOSE}",
    f"POST {CHOOSE}",
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/oidc",
    "GET /sign-in/oidc/callback",
    "POST /sign-in/oidc/logout",
    "POST /sign-out",
    "POST /language",
    "GET /static/{name}",
    "GET /healthz",
    "GET /.well-known/security.txt",
}
NEW = "a password of my own"


@pytest.fixture
async def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `yesser accounts`."""
    assert settings.postgres is not None
    monkeypatch.setenv("YESSER_HOME", str(settings.home))
    monkeypatch.setenv("YESSER_POSTGRES", settings.postgres)
    write_accounts_key(settings)

    async def invoke(*words: str) -> Any:
        result = await asyncio.to_thread(CliRunner().invoke, accounts, [*words, "--json"])
        assert result.exit_code == 0, (result.output, result.exception)
        return orjson.loads(result.stdout)

    return invoke


@asynccontextmanager
async def browser(parts: Parts, password: str, language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has signed in as `desk`."""
    transport = httpx.ASGITransport(application(parts), raise_app_exceptions=False)
    cookies = {"yesser-language": language}
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, cookies=cookies) as client:
        answer = await client.post("/sign-in", data={"username": "desk", "password": password})
        assert answer.status_code == 303, answer.text
        yield client


async def choose(client: httpx.AsyncClient, password: str, new: str) -> httpx.Response:
    csrf = csrf_of((await client.get(CHOOSE)).text)
    return await client.post(CHOOSE, data={"csrf": csrf, "password": password, "new_password": new})


async def test_a_first_password_opens_one_page_until_it_is_changed(
    settings: Settings, connection: Connection, run: Any
) -> None:
    first = (await run("add", "desk", "--role", "office"))["password"]
    async with console(settings) as parts, browser(parts, first) as client, browser(parts, first) as other:
        assert (await client.get("/")).headers["location"] == CHOOSE
        page = await client.get(CHOOSE)
        assert (page.status_code, "Choose a password" in page.text) == (200, True)
        assert "main-nav" not in page.text, "no page can be opened yet"
        same = await choose(client, first, first)
        assert (same.status_code, "It is your current password" in same.text) == (422, True)
        assert (await choose(client, "not the first", NEW)).status_code == 422
        assert (await client.get("/plan")).headers["location"] == CHOOSE
        chosen = await choose(client, first, NEW)
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/")
        assert (await client.get("/account")).status_code == 200
        assert (await other.get("/account")).headers["location"].startswith("/sign-in"), "the other session has ended"
    row = await connection.fetchrow("SELECT * FROM console.account")
    assert row is not None
    assert (row["must_change_password"], SEALS.is_account(row)) == (False, True)


async def test_a_password_of_an_administrator_is_a_first_one_again(
    settings: Settings, connection: Connection, run: Any
) -> None:
    first = (await run("add", "desk", "--role", "office"))["password"]
    async with console(settings) as parts:
        async with browser(parts, first) as client:
            await choose(client, first, NEW)
            second = (await run("password", "desk"))["password"]
            assert (await client.get("/account")).headers["location"].startswith("/sign-in")
        async with browser(parts, second, "ar") as client:
            assert (await client.get("/account")).headers["location"] == CHOOSE
            assert "اختر كلمة مرور" in (await client.get(CHOOSE)).text


async def test_no_other_route_answers_a_first_password(settings: Settings, connection: Connection, run: Any) -> None:
    first = (await run("add", "desk", "--role", "agency", "--agency", "health"))["password"]
    with_provider = settings.model_copy(update={"console_oidc_issuer": "http://127.0.0.1:9"})
    async with console(with_provider) as parts, browser(parts, first) as client:
        csrf = csrf_of((await client.get(CHOOSE)).text)
        asked = 0
        for method, request in requests_of(parts):
            path = request.path.partition("?")[0]
            if f"{method} {path}" in OPEN:
                continue
            names = {name: CONSTANTS.get(name, "x") for name in request.names()}
            given = request.of(names)
            data = {"csrf": csrf, **given.fields} if method == "POST" else None
            answer = await client.request(method, given.path, data=data)
            is_page = not path.startswith("/v1/") and path != "/live"
            found = answer.status_code, answer.headers.get("location")
            assert found == ((303, CHOOSE) if is_page else (403, None)), f"{method} {path}"
            asked += 1
        assert asked > 100
    # What is refused is in the trail, and nothing was sent.
    commands = {
        row["command"].partition(" ")[0] for row in await connection.fetch("SELECT command FROM platform.trail")
    }
    assert commands == {"accounts", "sign", "refused"}


async def test_a_first_password_is_of_no_use_in_the_moment_that_it_is_replaced(
    settings: Settings, connection: Connection, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else gave it, and it was right, just before the person's own became valid."""
    first = (await run("add", "desk", "--role", "office"))["password"]
    async with console(settings) as parts, browser(parts, first) as client, browser(parts, first) as other:
        csrf = csrf_of((await other.get(CHOOSE)).text)
        compare = parts.passwords.is_password
        waiting, chosen = asyncio.Semaphore(0), asyncio.Event()

        async def slow(kept: str | None, password: str) -> bool:
            found = await compare(kept, password)
            waiting.release()
            await chosen.wait()
            return found

        monkeypatch.setattr(parts.passwords, "is_password", slow)
        given = {"csrf": csrf, "password": first, "new_password": "a password of somebody else"}
        late = [
            asyncio.create_task(other.post(CHOOSE, data=given)),
            asyncio.create_task(other.post("/sign-in", data={"username": "desk", "password": first})),
        ]
        for _ in late:
            await waiting.acquire()
        monkeypatch.setattr(parts.passwords, "is_password", compare)
        assert (await choose(client, first, NEW)).status_code == 303
        chosen.set()
        assert [(await answer).status_code for answer in late] == [422, 401]
        assert (await client.get("/account")).status_code == 200
        async with browser(parts, NEW) as again:
            assert (await again.get("/account")).status_code == 200


async def test_the_mark_is_sealed(settings: Settings, connection: Connection, run: Any) -> None:
    first = (await run("add", "desk", "--role", "office"))["password"]
    async with console(settings) as parts, browser(parts, first) as client:
        await connection.execute("UPDATE console.account SET must_change_password = false")
        assert (await client.get("/account")).headers["location"].startswith("/sign-in")
        answer = await client.post("/sign-in", data={"username": "desk", "password": first})
        assert answer.status_code == 401


async def test_the_gateway_takes_no_token_of_an_account_with_a_first_password(
    settings: Settings, connection: Connection, run: Any
) -> None:
    write_console_key(settings)
    await connection.execute(REGISTER, "health", "agency")
    await add_account(connection, "other", "agency", "health")
    await run("add", "desk", "--role", "agency", "--agency", "health")
    assert (await authenticate(settings, "other", "agency", "health")).account == "other"
    with pytest.raises(Problem, match="unauthenticated"):
        await authenticate(settings, "desk", "agency", "health")


async def test_a_first_password_that_nobody_can_use_keeps_nobody_from_sign_in_at_the_provider(
    settings: Settings, connection: Connection, run: Any
) -> None:
    with local_issuer() as issuer:
        off = {"console_oidc_issuer": issuer, "console_passwords": "off"}
        async with run_console(settings, connection, **off) as running, running.browser() as client:
            await run("password", "labour")
            await client.get(await at_provider(client, BEGIN, "sub-labour"))
            assert (await client.get("/account")).status_code == 200
    row = await connection.fetchrow("SELECT * FROM console.account WHERE username = 'labour'")
    assert row is not None
    assert (row["password_hash"], row["must_change_password"], SEALS.is_account(row)) == (None, False, True)
