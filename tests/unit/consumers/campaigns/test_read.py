"""Which entries the history of a campaign shows."""

from __future__ import annotations

from consumers.campaigns.read import HISTORY_MAX, shown_history


def test_in_log_order_and_what_changed_nothing_takes_only_the_room_that_is_left_and_the_newest_stays() -> None:
    assert shown_history([9, 4], [7, 5]) == [4, 5, 7, 9]
    anomalies = range(1_000, 1_000 + 2 * HISTORY_MAX)
    found = shown_history([5_000, 3], anomalies)
    assert len(found) == HISTORY_MAX
    assert found[0] == 3
    assert found[-2:] == [anomalies[-1], 5_000]
    assert shown_history(range(HISTORY_MAX), [HISTORY_MAX]) == list(range(HISTORY_MAX))
