"""An account cannot take what all share: requests a second and at once, and pages that follow the log."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httpx

from consumers.console.accounts.accounts import Account
from consumers.console.accounts.sessions import COOKIE, Session, Sessions
from consumers.console.app import Guard
from infra.settings import Settings
from tests.every import every
from tests.world.pages import CSRF, OFFICE, browser, parts_for


@every(("language", "sentence"), [("en", "There are too many requests"), ("ar", "الطلبات أكثر من المسموح")])
async def test_too_many_requests_of_an_account_are_429_with_the_time_to_wait(language: str, sentence: str) -> None:
    settings = Settings(console_requests_per_s=0.001, console_requests_burst=2)
    async with browser(OFFICE, language, settings=settings) as client:
        assert [(await client.get("/account")).status_code for _ in range(2)] == [200, 200]
        answer = await client.get("/account")
        assert answer.status_code == 429
        assert 900 < int(answer.headers["retry-after"]) <= 1_000
        assert sentence in answer.text
        assert answer.headers["cache-control"] == "private, no-store"
        assert (await client.get("/v1/log")).status_code == 429, "also what no page shows"
        client.cookies.delete(COOKIE)
        assert (await client.get("/sign-in")).status_code == 200, "the limit is of the account"


class Whose:
    """The session of the account that a cookie names."""

    async def find(self, value: str | None) -> Session | None:
        return Session(Account(value, "office"), CSRF) if value else None


class Slow:
    """An application that answers when it is released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self._begun = asyncio.Semaphore(0)

    async def begun(self, requests: int) -> None:
        """Returns once so many more requests are here; no other is."""
        for _ in range(requests):
            await self._begun.acquire()
        assert self._begun.locked()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._begun.release()
        await self.released.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@every(("path", "other"), [("/plan", "/live"), ("/live", "/plan")])
async def test_an_account_has_so_many_requests_at_once_and_so_many_open_pages(path: str, other: str) -> None:
    settings = Settings(console_requests_at_once_max=2, console_live_pages_max=2)
    slow = Slow()
    guard = Guard(slow, parts_for(None, settings=settings, sessions=cast(Sessions, Whose())))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://console") as client:

        def ask(address: str, account: str = "desk") -> asyncio.Task[httpx.Response]:
            return asyncio.create_task(client.get(address, headers={"cookie": f"{COOKIE}={account}"}))

        open_ones = [ask(path), ask(path)]
        await slow.begun(2)
        refused = await ask(path)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        beside = [ask(other), ask(path, "another"), ask(f"{path}?x=1", "another")]
        await slow.begun(3)
        open_ones[0].cancel()
        await asyncio.wait(open_ones[:1])
        again = ask(path)
        await slow.begun(1)
        slow.released.set()
        answers = await asyncio.gather(open_ones[1], again, *beside)
        assert [answer.status_code for answer in answers] == [200] * 5
