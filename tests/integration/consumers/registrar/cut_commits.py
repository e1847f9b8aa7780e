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

MOMENTS = ("before the commit", "after the commit")


def cut_commit(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, moment: str, is_cut: Callable[[Batch], object]
) -> list[int]:
    """End the session at this moment of the first such batch; the list gets how many sessions were ended."""
    cut: list[int] = []
    write, commit = Journal._write, Journal.commit

    async def cut_before(self: Journal, batch: Batch, *rest: Any) -> datetime:
        now = await write(self, batch, *rest)
        if is_cut(batch) and not cut:
            cut.append(await terminate(settings, "registrar"))
        return now

    async def cut_after(self: Journal, batch: Batch, *rest: Any) -> list[bytes]:
        leaves = await commit(self, batch, *rest)
        if is_cut(batch) and not cut:
            cut.append(await terminate(settings, "registrar"))
            raise ConnectionError("the answer to COMMIT was lost")
        return leaves

    if moment == MOMENTS[0]:
        monkeypatch.setattr(Journal, "_write", cut_before)
    else:
        monkeypatch.setattr(Journal, "commit", cut_after)
    return cut
