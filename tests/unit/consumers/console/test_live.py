"""News of the log: a page hears when the position has moved, when the database is away, and when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from consumers.console.data.live import Live, TooManyPages
from infra.postgres.connection import Pool
from tests.every import every
from tests.virtual_time import virtual
from tests.world.pages import OFFICE, page


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


def position(number: int) -> bytes:
    return b"event: position\ndata: %d\n\n" % number


@asynccontextmanager
async def open_page(database: Database) -> AsyncIterator[AsyncIterator[bytes]]:
    """What a page hears, after its first line."""
    news = Live(cast(Pool, database), look_every_s=0.001)
    watching = asyncio.create_task(news.run())
    heard = news.events()
    assert await anext(heard) == b"retry: 2000\n\n"
    async with asyncio.timeout(60):
        yield heard
    watching.cancel()


@every("halted", [None, 2])
@virtual
async def test_a_page_hears_of_a_new_position_of_an_outage_and_of_its_end(halted: int | None) -> None:
    """A halted consumer keeps no news from the pages of the others."""
    database = Database(halted)
    async with open_page(database) as heard:
        assert await anext(heard) == position(5)
        database.position = 6
        assert await anext(heard) == position(6)
        database.position = None
        assert await anext(heard) == position(6), "the database is away"
        database.position = 6
        assert await anext(heard) == position(6), "it is back"


@virtual
async def test_one_page_too_many_is_answered_before_a_response_begins() -> None:
    news = Live(cast(Pool, Database()), pages_max=1)
    await anext(news.events())
    with pytest.raises(TooManyPages):
        news.events()
    assert (await page(OFFICE, "/live", live=news)).status_code == 503
