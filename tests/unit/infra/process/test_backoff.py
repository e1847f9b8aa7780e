"""Pauses grow, end somewhere, and differ between clients."""

from __future__ import annotations

from infra.clock import backoff_s


def test_each_pause_is_twice_the_one_before_up_to_the_longest_and_chance_spreads_its_upper_half() -> None:
    assert [backoff_s(tries, 0.0, 0.2, 1.0) for tries in (1, 2, 3, 4, 5)] == [0.1, 0.2, 0.4, 0.5, 0.5]
    assert backoff_s(10_000, 0.0, 0.2, 1.0) == 0.5
    assert [backoff_s(1, chance, 1.0, 5.0) for chance in (0.0, 0.5)] == [0.5, 0.75]
