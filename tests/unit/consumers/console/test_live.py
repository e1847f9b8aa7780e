"""News of the log: a page hears when the position has moved, when the database is away, and when it is back."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from consumers.console.accounts.accounts import Account
from consumers.console.data import live
from consumers.console.data.live import Live, TooManyPages
from infra.postgres.connection import Pool
from tests.unit.consumers.console.without_services import browser


class Database:
    """A pool whose answer is set, or away. `halted` is the position of a consumer that stays where it is."""

    def __init__(self, halted: int | None = None) -> None:
        self.position: int | None = 5
        self._halted = halted

    async def fetch(self, query: str) -> Any:
        if self.position is None:
            raise ConnectionRefusedError
        halted = [] if self._halted is None else [{"consumer": "revenue", "position": self._halted}]
        return [{"consumer": "projections", "position": self.position}, *halted]


async def test_a_page_hears_of_a_new_position_of_an_outage_and_of_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.001)
    database = Database()
    news = Live(cast(Pool, database))
    watching = asyncio.create_task(news.run())
    page = news.events()
    assert await anext(page) == b"retry: 2000\n\n"
    assert await anext(page) == b"event: position\ndata: 5\n\n"
    database.position = 6
    assert await anext(page) == b"event: position\ndata: 6\n\n"
    database.position = None
    assert await anext(page) == b"event: position\ndata: 6\n\n", "the database is away"
    database.position = 6
    assert await anext(page) == b"event: position\ndata: 6\n\n", "it is back"
    watching.cancel()


async def test_a_halted_consumer_keeps_no_news_from_the_pages_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.001)
    database = Database(halted=2)
    news = Live(cast(Pool, database))
    watching = asyncio.create_task(news.run())
    page = news.events()
    await anext(page)
    assert await anext(page) == b"event: position\ndata: 5\n\n"
    database.position = 6
    async with asyncio.timeout(5):
        assert await anext(page) == b"event: position\ndata: 6\n\n"
    watching.cancel()


async def test_one_page_too_many_is_answered_before_a_response_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PAGES_MAX", 1)
    news = Live(cast(Pool, Database()))
    await anext(news.events())
    with pytest.raises(TooManyPages):
        news.events()
    async with browser(Account("desk", "office"), live=news) as client:
        assert (await client.get("/live")).status_code == 503
