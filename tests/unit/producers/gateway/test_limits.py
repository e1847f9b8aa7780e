"""How much a caller may ask for."""

from __future__ import annotations

from producers.gateway.limits import RateLimit
from producers.gateway.recent import Recent


def test_a_burst_passes_then_the_rate_holds() -> None:
    limit = RateLimit(per_s=2, burst=3)
    assert [limit.wait_s("a", 0.0) for _ in range(5)] == [0, 0, 0, 1, 1]
    assert [limit.wait_s("a", 0.5) for _ in range(2)] == [0, 1]


def test_callers_do_not_share_a_limit() -> None:
    limit = RateLimit(per_s=1, burst=1)
    assert limit.wait_s("a", 0.0) == 0
    assert limit.wait_s("b", 0.0) == 0
    assert limit.wait_s("a", 0.0) == 1


def test_a_slow_rate_tells_how_long_to_wait() -> None:
    limit = RateLimit(per_s=0.1, burst=1)
    assert [limit.wait_s("a", 0.0), limit.wait_s("a", 0.0)] == [0, 10]


def test_endless_names_do_not_fill_the_memory() -> None:
    limit = RateLimit(per_s=1, burst=1, names_max=100)
    for number in range(10_000):
        limit.wait_s(str(number), number / 1_000)
    assert len(limit._buckets) <= 100


def test_what_was_taken_lately_is_remembered_and_the_oldest_forgotten() -> None:
    recent = Recent(remembered_max=4)
    recent.add("health", ["a", "b"], [5, 6])
    recent.add("health", ["a"], [7])
    assert [recent.offset_of("health", name) for name in "ab"] == [7, 6]
    recent.add("moi", ["b"], [8])
    assert [recent.offset_of("health", name) for name in "ab"] == [7, None]
    assert [recent.offset_of("moi", name) for name in "ab"] == [None, 8]
