"""A partner's page of entries is bounded, though strangers send any number of entries about its partnership."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import pytest

from consumers.api.resources import entries
from consumers.documents.access_scope import AccessScope
from consumers.documents.log.entries import Entry
from consumers.replay.as_of.view import View
from consumers.replay.event_index.read import Page, Query
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

OWN = (3, 5_000, 5_001, 30_000)
END = 40_000
ENTRY_AT = partial(Entry, id="1", source="", type="", subject="partnership/P", agency="x", time="", proof="")


class Log:
    """A view of a log in which all but a few entries are a stranger's."""

    def __init__(self) -> None:
        self.positions = {REVENUE.name: END}
        self.looked_at = 0

    async def use(self, consumer: object) -> Any:
        return self

    async def find(self, connection: object, query: Query) -> Page:
        first = query.after_index + 1
        last = min(first + query.rows_max, query.below_index or END)
        self.looked_at += last - first
        return Page([ENTRY_AT(index=index) for index in range(first, last)], None if last == END else last - 1)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    found = Log()

    async def subjects(connection: object, scope: object) -> list[str]:
        return ["partnership/P"]

    async def strangers(connection: object, indexes: list[int]) -> frozenset[int]:
        return frozenset(indexes) - frozenset(OWN)

    monkeypatch.setattr(entries, "find", found.find)
    monkeypatch.setattr(read, "subjects", subjects)
    monkeypatch.setattr(read, "strangers", strangers)
    return found


async def page(log: Log, limit: int, after: int = -1) -> tuple[list[int], int | None]:
    found = await entries.found_by_partner(
        cast(View, log), Query(rows_max=limit, after_index=after), AccessScope(partners=("a/b",))
    )
    return [event.index for event in found.events], found.next_cursor


async def test_a_full_page_ends_at_its_last_entry_and_one_among_strangers_before_it_is_full(log: Log) -> None:
    assert await page(log, 2) == ([3, 5_000], 5_000)
    assert await page(log, 1, after=5_000) == ([5_001], 5_001)
    log.looked_at = 0
    shown, cursor = await page(log, 4)
    assert shown == [3, 5_000, 5_001]
    assert log.looked_at <= entries.LOOKED_AT_MAX + 1_000
    pages = 0
    while cursor is not None:
        more, cursor = await page(log, 4, cursor)
        shown += more
        pages += 1
    assert shown == list(OWN)
    assert pages <= 4
