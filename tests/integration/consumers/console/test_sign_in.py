"""Signing in by the identity provider, large forms, and sessions on several devices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from consumers.console.process import NoSignIn
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.consoles import (
    BEGIN,
    PASSWORD,
    ConsoleHarness,
    at_provider,
    change_password,
    csrf_of,
    hidden,
    local_issuer,
    run_console,
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with local_issuer() as address:
        yield address


@pytest.fixture
async def console(settings: Settings, connection: Connection, issuer: str) -> AsyncIterator[ConsoleHarness]:
    async with run_console(settings, connection, console_oidc_issuer=issuer) as running:
        yield running


async def test_the_account_of_a_subject_signs_in(console: ConsoleHarness, issuer: str) -> None:
    async with console.browser() as browser:
        page = (await browser.get("/sign-in?next=/account")).text
        assert f'href="{BEGIN}?next=%2Faccount"' in page
        asked = parse_qs(urlsplit((await browser.get(f"{BEGIN}?next=/account")).headers["location"]).query)
        assert asked["response_type"] == ["code"]
        assert asked["code_challenge_method"] == ["S256"]
        assert {"state", "nonce", "code_challenge"} <= set(asked)
        callback = await at_provider(browser, f"{BEGIN}?next=/account", "sub-labour")
        answer = await browser.get(callback)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account"), answer.text
        assert "labour" in (await browser.get("/account")).text
        assert (await browser.get(callback)).status_code == 401, "a code is used once"
    trail = await console.connection.fetch("SELECT role, account, command FROM platform.trail ORDER BY row_id")
    assert [tuple(row) for row in trail] == [
        ("yesser_console", "labour", "sign in"),
        ("yesser_console", None, "sign in refused"),
    ]


async def test_nobody_gets_in_only_because_the_provider_knows_them(console: ConsoleHarness) -> None:
    await console.connection.execute("UPDATE console.account SET disabled_at = now() WHERE username = 'health'")
    for subject in ("sub-stranger", "sub-health"):
        async with console.browser() as browser:
            answer = await browser.get(await at_provider(browser, BEGIN, subject))
            assert answer.status_code == 403
            assert "you have no account here" in answer.text
            assert (await browser.get("/account")).status_code == 303


async def test_an_answer_for_another_browser_or_another_sign_in_is_of_no_use(console: ConsoleHarness) -> None:
    async with console.browser() as browser, console.browser() as other:
        callback = await at_provider(browser, BEGIN, "sub-labour")
        assert (await other.get(callback)).status_code == 401, "without the cookie"
        await other.get(BEGIN)
        assert (await other.get(callback)).status_code == 401, "with the cookie of another sign-in"
        forged = callback.replace("state=", "state=x")
        assert (await browser.get(forged)).status_code == 401
        assert (await browser.get(f"{BEGIN}/callback?error=access_denied")).status_code == 401
        assert (await browser.get(callback)).status_code == 303, "the right one still is"


async def test_a_provider_that_is_away_is_said(settings: Settings, connection: Connection) -> None:
    async with run_console(settings, connection, console_oidc_issuer="http://127.0.0.1:9") as console:
        async with console.browser() as browser:
            answer = await browser.get(BEGIN)
            assert answer.status_code == 503
            assert "The identity provider does not answer" in answer.text
        async with console.browser("health") as browser:
            assert (await browser.get("/account")).status_code == 200, "local accounts work"


async def test_a_body_larger_than_any_form_is_refused(console: ConsoleHarness) -> None:
    async with console.browser("health") as browser:
        csrf = await csrf_of(browser)
        answer = await browser.post("/account/sessions", data={"csrf": csrf, "text": "x" * (1 << 20)})
        assert answer.status_code == 413
        browser.cookies.delete("yesser-session")
        answer = await browser.post("/account/sessions", data={"csrf": csrf, "text": "x" * (1 << 20)})
        assert answer.headers["location"] == "/sign-in?next=/&unsent=1"


async def test_sessions_on_other_devices_end_by_a_click(console: ConsoleHarness) -> None:
    async with console.browser("health") as mine, console.browser("health") as other:
        page = (await mine.get("/account")).text
        assert page.count("This session") == 1
        assert "End my other sessions" in page
        assert (await mine.post("/account/sessions", data={"csrf": hidden(page, "csrf")})).status_code == 303
        assert (await other.get("/account")).status_code == 303
        assert "End my other sessions" not in (await mine.get("/account")).text


async def test_without_passwords_an_account_signs_in_at_the_provider_alone(
    settings: Settings, connection: Connection, issuer: str
) -> None:
    off = {"console_oidc_issuer": issuer, "console_passwords": "off"}
    async with run_console(settings, connection, **off) as console, console.browser() as browser:
        assert 'name="password"' not in (await browser.get("/sign-in")).text
        known = await browser.post("/sign-in", data={"username": "health", "password": PASSWORD})
        unknown = await browser.post("/sign-in", data={"username": "stranger", "password": PASSWORD})
        assert (known.status_code, known.text) == (404, unknown.text)
        assert (await browser.get("/account")).status_code == 303, "no session began"
        await browser.get(await at_provider(browser, BEGIN, "sub-labour"))
        page = (await browser.get("/account")).text
        assert "labour" in page
        assert 'name="new_password"' not in page
        assert (await change_password(browser, PASSWORD, "another one of twelve")).status_code == 404


async def test_a_console_at_which_nobody_could_sign_in_does_not_start(
    settings: Settings, connection: Connection
) -> None:
    with pytest.raises(NoSignIn, match="YESSER_CONSOLE_OIDC_ISSUER"):
        async with run_console(settings, connection, console_passwords="off"):
            pass
