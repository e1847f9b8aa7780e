"""Pauses grow, end somewhere, and differ between clients."""

from __future__ import annotations

from infra.process.backoff import backoff_s


def test_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    assert [backoff_s(tries, 0.0, 0.2, 1.0) for tries in (1, 2, 3, 4, 5)] == [0.1, 0.2, 0.4, 0.5, 0.5]
    assert backoff_s(10_000, 0.0, 0.2, 1.0) == 0.5


def test_chance_spreads_a_pause_over_its_upper_half() -> None:
    assert backoff_s(1, 0.0, 1.0, 5.0) == 0.5
    assert backoff_s(1, 0.5, 1.0, 5.0) == 0.75
