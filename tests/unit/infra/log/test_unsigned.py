"""When a log that grew and is not signed is reported."""

from __future__ import annotations

from infra.log.unsigned import UNSIGNED_MAX_S, Unsigned


def test_a_log_is_reported_once_nothing_was_signed_for_ten_seconds_although_it_grew() -> None:
    watch, late = Unsigned(), UNSIGNED_MAX_S + 1
    assert watch.look(5, 5, 0.0) is None
    assert watch.look(5, 5, 100.0) is None, "idle"
    assert watch.look(6, 5, 101.0) is None
    assert watch.look(900, 5, 101.0 + UNSIGNED_MAX_S) is None
    assert "the entries from 5 on" in (watch.look(900, 5, 101.0 + late) or "")
    assert watch.look(900, 900, 101.0 + late + 1) is None
    assert watch.look(901, 900, 200.0) is None, "each growth has its own ten seconds"
    signed_while_it_grows = [watch.look(901 + second, 900 + second, 201.0 + second) for second in range(60)]
    assert signed_while_it_grows == [None] * 60
