"""A registrar whose session ends around a commit, so that it cannot know the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from consumers.registrar.batch import Batch
from consumers.registrar.journal import Journal
from infra.settings import Settings
from tests.world.registrars import terminate


def cut_commits(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    *,
    before: Callable[[Batch], object],
    after: Callable[[Batch], object],
) -> list[int]:
    """End the session before the commit of the first such batch, and after that of the first such other; the list gets
    how many sessions were ended."""
    cut: list[int] = []
    ending: list[asyncio.Task[None]] = []
    write, commit = Journal._write, Journal.commit

    async def end_session() -> None:
        cut.append(await terminate(settings, "registrar"))

    async def end() -> None:
        """Another task that loses its connection first may cancel the one that waits here: the list gets its number."""
        ending.append(asyncio.create_task(end_session()))
        await asyncio.shield(ending[-1])

    async def cut_before(self: Journal, batch: Batch, *rest: Any) -> datetime:
        now = await write(self, batch, *rest)
        if not ending and before(batch):
            await end()
        return now

    async def cut_after(self: Journal, batch: Batch, *rest: Any) -> list[bytes]:
        leaves = await commit(self, batch, *rest)
        if len(ending) == 1 and after(batch):
            await end()
            raise ConnectionError("the answer to COMMIT was lost")
        return leaves

    monkeypatch.setattr(Journal, "_write", cut_before)
    monkeypatch.setattr(Journal, "commit", cut_after)
    return cut
