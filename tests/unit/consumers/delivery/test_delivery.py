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


class Sender:
    """A part whose receiver is away for some terms."""

    def __init__(self, away: int) -> None:
        self.away = away

    async def work(self, _: Settings, term: Term, round_ended: Callable[[], None]) -> None:
        await asyncio.sleep(0.01)  # the other parts have rounds meanwhile
        if self.away:
            self.away -= 1
            raise Retry("the receiver is away")
        round_ended()
        await term.stop.wait()


async def work_on(_: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    while not term.stop.is_set():
        round_ended()
        await asyncio.sleep(0.001)


async def test_a_wait_lasts_until_the_part_that_failed_has_a_good_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, retry_wait_min_ms=1, retry_wait_max_ms=64, lease_renew_ms=1)
    sender = Sender(away=5)
    delivery = Delivery(settings, (work_on, sender.work))
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
