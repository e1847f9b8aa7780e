"""Only a small read is followed by a pause."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from infra.process.pace import SMALL_BYTES, Pace
from tests.virtual_time import virtual


class Clock:
    """A clock that the waits advance."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("asyncio.sleep", self._sleep)

    def __call__(self) -> float:
        return self.now

    async def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.mark.parametrize(
    ("pause_ms", "values", "waits_s"),
    [
        (50, [b"1", None, b"2"], 0.05),
        (50, [b"1" * (SMALL_BYTES - 1)], 0.05),
        (50, [b"1" * (SMALL_BYTES - 1), b"2"], 0.0),
        (50, [], 0.0),
        (0, [b"1"], 0.0),
    ],
    ids=["some records", "nearly a large read", "a large read", "nothing", "no pause is set"],
)
@virtual
async def test_a_small_read_begins_a_pause(
    monkeypatch: pytest.MonkeyPatch, pause_ms: int, values: Sequence[bytes | None], waits_s: float
) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(pause_ms, clock)
    assert pace.begin(values) == bool(waits_s)
    await pace.end()
    assert clock.now == pytest.approx(100 + waits_s)


@virtual
async def test_time_that_passed_counts_and_what_comes_after_the_pause_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    pace = Pace(50, clock)
    pace.begin([b"1"])
    clock.now += 0.03
    await pace.end()
    assert clock.now == pytest.approx(100.05)
    clock.now += 1
    await pace.end()
    assert clock.now == pytest.approx(101.05)
