"""What a replay remembers of its own rows, so that it need not look for what it never stored; and how it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from consumers.fold import replay
from consumers.fold.stored_keys import StoredKeys
from consumers.projections.handlers.plan import PLAN
from consumers.projections.handlers.services import SERVICE
from infra.settings import Settings

KEYS = [(f"S-{number}",) for number in range(5_000)]


def test_a_stored_key_is_never_taken_for_absent_and_almost_every_new_key_needs_no_look() -> None:
    stored = StoredKeys()
    stored.add(SERVICE, KEYS)
    assert stored.maybe(SERVICE, KEYS) == KEYS
    assert len(stored.maybe(SERVICE, [(f"T-{number}",) for number in range(5_000)])) < 50
    assert len(stored.maybe(PLAN, KEYS)) < 50


async def test_a_replay_ends_with_the_task_that_reads_ahead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def is_cancelled(queue: asyncio.Queue[Any], *_: object) -> None:
        await queue.put([])
        raise asyncio.CancelledError

    async def read() -> None:
        async with replay.parsed_entries(Settings(home=tmp_path), 0, 9) as batches:
            async for _ in batches:
                pass

    monkeypatch.setattr(replay, "_parse_into", is_cancelled)
    reading = asyncio.create_task(read())
    await asyncio.wait([reading], timeout=2)
    assert reading.cancelled()
