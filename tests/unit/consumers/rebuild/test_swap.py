"""A swap that meets readers of the old tables: what was folded is kept, and the swap alone is tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from consumers.fold.replay import Scratch
from consumers.projections.consumer import CONSUMER
from consumers.rebuild import rebuild
from consumers.rebuild.rebuild import RebuildOptions, Rebuilt
from infra.settings import Settings


class Connection:
    """Of a database whose old tables are in use; notes how each transaction ended."""

    def __init__(self, error: type[Exception]) -> None:
        self.error = error
        self.ended: list[str] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        try:
            yield
        except self.error:
            self.ended.append("rolled back")
            raise
        self.ended.append("committed")

    async def execute(self, sql: str) -> None:
        if sql.startswith("DROP SCHEMA"):
            raise self.error

    async def fetchval(self, *_: object) -> int:
        return 7


@pytest.mark.parametrize("error", [asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError])
async def test_what_was_folded_is_committed_when_the_old_tables_are_in_use(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def done(*_: object) -> Any:
        return Rebuilt(CONSUMER.name, 7, (), None, True)

    monkeypatch.setattr(rebuild, "replay", done)
    monkeypatch.setattr(rebuild, "_settle", done)
    connection: Any = Connection(error)
    scratch = Scratch(CONSUMER, "rebuild_projections")
    options = RebuildOptions(compare=False, swap=True)
    assert await rebuild._finish(Settings(), connection, scratch, options, lambda _: None) is None
    assert connection.ended == ["rolled back", "committed"]
