"""What follows from the console's public address: cookies for TLS alone, HSTS, and a proxy that has to be named."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.console.accounts.accounts import Account
from consumers.console.process import Console
from consumers.console.web.assets import PREFIX
from consumers.console.web.security import require_tls_before
from infra.settings import Settings
from infra.tls.plaintext import PlaintextRefused
from tests.every import every
from tests.world.pages import CSRF, OFFICE, OneSession, browser

ADDRESS = "https://console.example"
HSTS = "max-age=31536000"


class Ending(OneSession):
    """Notes which sessions were ended."""

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.ended: list[str | None] = []

    async def end(self, value: str | None) -> None:
        self.ended.append(value)


@every(
    ("address", "cookie", "hsts"),
    [
        (ADDRESS, "__Host-yesser-language=ar; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax; Secure", HSTS),
        (None, "yesser-language=ar; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax", None),
    ],
)
async def test_cookies_and_hsts_follow_from_the_address(address: str | None, cookie: str, hsts: str | None) -> None:
    settings = Settings(console_address=address)
    async with browser(settings=settings) as client:  # over plain HTTP, as from a proxy that no setting names
        answer = await client.post("/language", data={"language": "ar"})
        assert answer.headers["set-cookie"] == cookie
        for path in ("/sign-in", "/account", f"{PREFIX}none", "/nowhere"):
            assert (await client.get(path)).headers.get("strict-transport-security") == hsts


async def test_a_session_is_found_and_ended_under_the_name_that_the_address_gives_it() -> None:
    sessions = Ending(OFFICE)
    async with browser(OFFICE, settings=Settings(console_address=ADDRESS), sessions=sessions) as client:
        assert (await client.get("/account")).status_code == 200
        answer = await client.post("/sign-out", data={"csrf": CSRF})
        assert answer.headers["set-cookie"].startswith('__Host-yesser-session=""; ')
        assert answer.headers["set-cookie"].endswith("; Secure"), "a browser deletes no such cookie without it"
        assert sessions.ended == ["any"]
        client.cookies.clear()
        answer = await client.get("/account", headers={"cookie": "yesser-session=any"})
        assert answer.status_code == 303, "another host of the domain could have set this one"


@every(
    ("changes", "message"),
    [
        ({"console_address": ADDRESS}, "name the proxy that does in YESSER_CONSOLE_TRUSTED_PROXIES"),
        ({"console_trusted_proxies": "10.0.0.5"}, "set YESSER_CONSOLE_ADDRESS"),
    ],
)
async def test_a_public_address_and_the_proxy_before_it_are_named_together_or_the_console_does_not_start(
    changes: dict[str, Any], message: str
) -> None:
    console = Console(Settings(console_port=0, **changes), lambda: datetime.now(UTC))
    with pytest.raises(PlaintextRefused, match=message):
        await console.run(asyncio.Event())


@every(
    "changes",
    [
        {},
        {"console_address": ADDRESS, "console_trusted_proxies": "10.0.0.5"},
        {"console_address": "https://localhost:8443"},
    ],
)
def test_a_console_on_this_machine_or_behind_a_named_proxy_starts(changes: dict[str, Any]) -> None:
    require_tls_before(Settings(**changes))
