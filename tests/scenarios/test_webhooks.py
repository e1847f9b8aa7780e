"""From a published launch to the webhook of the team, through the whole system."""

from __future__ import annotations

import pytest

from tests.scenarios.figures import tell
from tests.scenarios.launches import waits_s

pytestmark = [pytest.mark.accept, pytest.mark.alone, pytest.mark.timeout(600)]

LAUNCHES = 1_000
LAUNCHES_PER_S = 50


async def test_every_launch_brings_one_webhook() -> None:
    """Nearly all within a second, also on a slow machine. The goal for half of them is the bench's."""
    waits = await waits_s(LAUNCHES, LAUNCHES_PER_S)
    p50, p99 = waits[len(waits) // 2], waits[int(0.99 * len(waits))]
    tell(f"{LAUNCHES} launches, {LAUNCHES_PER_S} a second: webhook after {1e3 * p50:.0f} ms, p99 {1e3 * p99:.0f} ms")
    assert len(waits) == LAUNCHES
    assert p99 <= 1.0
