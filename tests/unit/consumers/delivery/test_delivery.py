"""Parts that work side by side: what one of them waits for is not over because another has a good round."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from consumers.delivery.delivery import Delivery
from events.errors import Retry
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.virtual_time import virtual


async def work_on(_: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    while not term.stop.is_set():
        round_ended()
        await asyncio.sleep(0.001)


@virtual
async def test_a_wait_lasts_until_the_part_has_a_good_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, retry_wait_min_ms=1, retry_wait_max_ms=64, lease_renew_ms=1)
    away = iter([True] * 5)

    async def send(_: Settings, term: Term, round_ended: Callable[[], None]) -> None:
        """Its receiver is away for five terms, while the other part has rounds."""
        await asyncio.sleep(0.01)
        if next(away, False):
            raise Retry("the receiver is away")
        round_ended()
        await term.stop.wait()

    delivery = Delivery(settings, (work_on, send))
    election, stop, waits = delivery._election, asyncio.Event(), []

    async def stand_by(_: asyncio.Event) -> int:
        waits.append(election._wait_ms)
        return 1

    monkeypatch.setattr(election, "_stand_by", stand_by)
    monkeypatch.setattr(election, "_lead", delivery._work)
    with capture_logs() as lines:
        running = asyncio.create_task(election.run(stop))
        async with asyncio.timeout(10):
            while len(waits) < 6 or election._wait.holds:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stop.set()
        await running
    assert waits == [1, 2, 4, 8, 16, 32]
    events = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert events == ["waiting to try again", "going on"]
