"""Signing in by the identity provider, large forms, and sessions on several devices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from consumers.console.process import Console, NoSignIn
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.commands import Yesser
from tests.world.consoles import (
    BEGIN,
    PASSWORD,
    SEALS,
    ConsoleHarness,
    at_provider,
    change_password,
    hidden,
    local_issuer,
    run_console,
)
from tests.world.senders import now


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with local_issuer() as address:
        yield address


async def test_only_the_subjects_account_signs_in(settings: Settings, connection: Connection, issuer: str) -> None:
    async with run_console(settings, connection, console_oidc_issuer=issuer) as console:
        await the_account_of_a_subject_signs_in(console)
        await an_answer_for_another_browser_is_of_no_use(console)
        await nobody_gets_in_whom_only_the_provider_knows(console)


async def the_account_of_a_subject_signs_in(console: ConsoleHarness) -> None:
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


async def nobody_gets_in_whom_only_the_provider_knows(console: ConsoleHarness) -> None:
    await console.connection.execute("UPDATE console.account SET disabled_at = now() WHERE username = 'health'")
    for subject in ("sub-stranger", "sub-health"):
        async with console.browser() as browser:
            answer = await browser.get(await at_provider(browser, BEGIN, subject))
            assert answer.status_code == 403
            assert "you have no account here" in answer.text
            assert (await browser.get("/account")).status_code == 303


async def an_answer_for_another_browser_is_of_no_use(console: ConsoleHarness) -> None:
    async with console.browser() as browser, console.browser() as other:
        callback = await at_provider(browser, BEGIN, "sub-labour")
        assert (await other.get(callback)).status_code == 401, "without the cookie"
        await other.get(BEGIN)
        assert (await other.get(callback)).status_code == 401, "with the cookie of another sign-in"
        forged = callback.replace("state=", "state=x")
        assert (await browser.get(forged)).status_code == 401
        assert (await browser.get(f"{BEGIN}/callback?error=access_denied")).status_code == 401
        assert (await browser.get(callback)).status_code == 303, "the right one still is"


async def test_where_the_provider_is_away_passwords_count_and_sessions_on_other_devices_end_by_a_click(
    settings: Settings, connection: Connection
) -> None:
    async with run_console(settings, connection, console_oidc_issuer="http://127.0.0.1:9") as console:
        async with console.browser() as browser:
            answer = await browser.get(BEGIN)
            assert answer.status_code == 503
            assert "The identity provider does not answer" in answer.text
        async with console.browser("health") as mine, console.browser("health") as other:
            page = (await mine.get("/account")).text
            assert page.count("This session") == 1
            assert "End my other sessions" in page
            csrf = hidden(page, "csrf")
            large = {"csrf": csrf, "text": "x" * (1 << 20)}
            assert (await mine.post("/account/sessions", data=large)).status_code == 413
            assert (await mine.post("/account/sessions", data={"csrf": csrf})).status_code == 303
            assert (await other.get("/account")).status_code == 303
            assert "End my other sessions" not in (await mine.get("/account")).text
            mine.cookies.delete("yesser-session")
            answer = await mine.post("/account/sessions", data=large)
            assert answer.headers["location"] == "/sign-in?next=/&unsent=1"


async def test_without_passwords_an_account_signs_in_at_the_provider_alone(
    settings: Settings, connection: Connection, issuer: str, yesser: Yesser
) -> None:
    with pytest.raises(NoSignIn, match="YESSER_CONSOLE_OIDC_ISSUER"):
        await Console(settings.model_copy(update={"console_passwords": "off"}), now).run(asyncio.Event())
    off = {"console_oidc_issuer": issuer, "console_passwords": "off"}
    async with run_console(settings, connection, **off) as console, console.browser() as browser:
        assert 'name="password"' not in (await browser.get("/sign-in")).text
        known = await browser.post("/sign-in", data={"username": "health", "password": PASSWORD})
        unknown = await browser.post("/sign-in", data={"username": "stranger", "password": PASSWORD})
        assert (known.status_code, known.text) == (404, unknown.text)
        assert (await browser.get("/account")).status_code == 303, "no session began"
        # Nobody can use a first password here: it keeps nobody from signing in.
        await yesser.document("accounts", "password", "labour")
        await browser.get(await at_provider(browser, BEGIN, "sub-labour"))
        page = (await browser.get("/account")).text
        assert "labour" in page
        assert 'name="new_password"' not in page
        assert (await change_password(browser, PASSWORD, "another one of twelve")).status_code == 404
    row = await connection.fetchrow("SELECT * FROM console.account WHERE username = 'labour'")
    assert row is not None
    assert (row["password_hash"], row["must_change_password"], SEALS.is_account(row)) == (None, False, True)
