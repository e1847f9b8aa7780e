"""A swap that meets readers of the old tables: what was folded is kept, and the swap alone is tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import AsyncMock

import asyncpg
import pytest

from consumers.programme.projections.consumer import CONSUMER
from consumers.replay.rebuild import rebuild as module
from consumers.replay.rebuild.lasting_scratch import LastingScratch
from infra.settings import Settings
from tests.every import every


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
        if sql.endswith("IN ACCESS EXCLUSIVE MODE"):
            raise self.error

    async def fetchval(self, *_: object) -> int:
        return 7


@every("error", [asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.QueryCanceledError])
async def test_what_was_folded_is_committed_when_the_old_tables_are_in_use(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = AsyncMock()
    monkeypatch.setattr(module, "read_parsed", AsyncMock(return_value=["the last entry"]))
    monkeypatch.setattr(LastingScratch, "apply", apply)
    connection: Any = Connection(error)
    scratch = LastingScratch(connection, CONSUMER)
    scratch.position = 6
    assert await module.try_swap(Settings(), scratch, 1) is module.Try.HELD
    assert connection.ended == ["rolled back", "committed"]
    apply.assert_awaited_once_with(["the last entry"])
    connection.ended = []
    assert await module.try_swap(Settings(), LastingScratch(connection, CONSUMER), 6) is module.Try.BEHIND
    assert (connection.ended, apply.await_count) == (["committed"], 1), "more than a few are not folded under the lock"
