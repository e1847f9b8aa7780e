"""Standing by after a halt: another process works, and the halt is over."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from events.errors import Halt
from infra.process import leader_election, lease
from infra.process.health import Progress
from infra.process.leader_election import LeaderElection, LeaderParts
from infra.process.lease import LeaseSpec
from infra.settings import Settings


@pytest.mark.parametrize(("stood_by_s", "halted"), [(0.003, "the log was cut"), (0.005, None)])
async def test_a_halt_is_over_when_another_process_keeps_the_lease(
    stood_by_s: float, halted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, stop = [0.0], asyncio.Event()
    connection = AsyncMock(**{"fetchval.return_value": "another-machine-1f"})
    lease_of_role = LeaseSpec("role", AsyncMock(return_value=connection))
    work = AsyncMock(side_effect=AssertionError("it has no lease"))

    async def claim(*_: object, **__: object) -> None:
        now[0] += stood_by_s
        stop.set()

    monkeypatch.setattr(lease, "claim", claim)
    monkeypatch.setattr(leader_election, "time", SimpleNamespace(monotonic=lambda: now[0]))
    settings = Settings(lease_renew_ms=1, halted_retry_ms=2)
    candidate = LeaderElection(settings, lease_of_role, work, Progress(lambda: 0.0, positions=False))
    await candidate._react(Halt("the log was cut"), stop)
    assert not candidate.progress.readiness().ready
    with capture_logs() as lines:
        await candidate._stand_by(stop)
    assert candidate.progress.halted == halted
    assert candidate.progress.readiness().ready == (halted is None)
    assert candidate.progress.readiness().details["owner"] == "another-machine-1f", "who works is named"
    assert [line["event"] for line in lines] == ([] if halted else ["no longer halted"])


async def test_a_wait_of_some_parts_is_over_when_each_of_them_had_a_good_round() -> None:
    moved: list[bool] = []
    parts = LeaderParts(lambda: moved.append(True))

    for name in ("a", "b"):
        with pytest.raises(OSError, match="away"):
            await parts.run(name, AsyncMock(side_effect=OSError("away")))
    for name in ("c", "a", "c"):
        parts.ended(name)
    assert moved == []
    parts.ended("b")
    parts.ended("c")
    assert moved == [True, True]
