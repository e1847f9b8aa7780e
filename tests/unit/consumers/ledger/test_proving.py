"""What commands compute with: all entries of a partnership in the log, also those that are not indexed yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consumers.as_of.view import View
from consumers.ledger import proving
from infra.settings import Settings
from tests.world.indexed_log import IndexedLog, shown
from tests.world.partnership import History


@pytest.mark.parametrize("indexed", [0, 1, 3])
async def test_entries_that_are_not_indexed_yet_are_in_the_log(indexed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History((100, "2005-01-05"))
    history.close("2005-01")
    log = IndexedLog([entry for _, entry in history.raw()], indexed)

    @asynccontextmanager
    async def view(*_: object) -> AsyncIterator[View]:
        yield shown(log, 0)

    monkeypatch.setattr(proving, "view", view)
    assert await proving.entries_of(Settings(), "partnership/P1") == history.raw()
    assert await proving.entries_of(Settings(), "partnership/P2") == []
