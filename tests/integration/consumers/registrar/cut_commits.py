"""A registrar whose session ends around a commit, so that it cannot know the outcome."""

from __future__ import annotations

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
    write, commit = Journal._write, Journal.commit

    async def cut_before(self: Journal, batch: Batch, *rest: Any) -> datetime:
        now = await write(self, batch, *rest)
        if not cut and before(batch):
            cut.append(await terminate(settings, "registrar"))
        return now

    async def cut_after(self: Journal, batch: Batch, *rest: Any) -> list[bytes]:
        leaves = await commit(self, batch, *rest)
        if len(cut) == 1 and after(batch):
            cut.append(await terminate(settings, "registrar"))
            raise ConnectionError("the answer to COMMIT was lost")
        return leaves

    monkeypatch.setattr(Journal, "_write", cut_before)
    monkeypatch.setattr(Journal, "commit", cut_after)
    return cut
