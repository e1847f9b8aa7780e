"""How many rows a batch may need follows from how long they took."""

from __future__ import annotations

from consumers.replay.fold.apply import ROWS_FIRST, ROWS_MAX, ROWS_MIN, RowLimit


def after(needed: int, seconds: float) -> int:
    limit = RowLimit(needed=needed)
    limit.note(seconds)
    return limit.rows_max


def test_as_many_rows_as_take_a_second_within_bounds() -> None:
    assert RowLimit().rows_max == ROWS_FIRST
    assert after(6_000, 0.5) == 12_000
    assert after(6_000, 0.1) == ROWS_MAX
    assert after(6_000, 60.0) == ROWS_MIN
    assert after(ROWS_MIN - 1, 1.0) == ROWS_FIRST, "a small batch says nothing"
    limit = RowLimit(needed=ROWS_MIN)
    limit.note(30.0)
    limit.needed = limit.rows_max
    limit.note(0.05)
    assert limit.rows_max == ROWS_MAX, "the slow batch is forgotten with the next large one"
