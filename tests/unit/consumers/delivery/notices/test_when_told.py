"""When engineers are told: what is gathered, what expires, what has not come. No clock but the test's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from consumers.delivery.notices.moments import (
    WAIT_MAX,
    Expected,
    Window,
    has_come,
    item_of,
    last_period,
    next_wait,
    warning,
)
from tests.every import every

NOW = datetime(2026, 11, 15, 9, tzinfo=UTC)
SHORTEST = timedelta(minutes=5)
DAY = timedelta(days=1)
EACH_MONTH = Expected(7, "health", "revenue.collected", "partnership/P", None, 5, NOW - 100 * DAY, 40)
EACH_WEEK = replace(EACH_MONTH, every_days=7, by_day=None)


def test_a_flood_is_told_less_and_less_often_and_after_a_rest_at_once_again() -> None:
    window, told_after_min = Window("health", "log", 1, 5, 9, NOW, SHORTEST), []
    for _ in range(9):
        assert not window.is_due(window.opened_at + window.wait - timedelta(seconds=1))
        told = window.opened_at + window.wait
        assert window.is_due(told)
        told_after_min.append(window.wait // timedelta(minutes=1))
        window = replace(
            window, wait=next_wait(window, SHORTEST), noticed_at=told, opened_at=told + timedelta(seconds=1)
        )
    assert told_after_min == [5, 5, 10, 20, 40, 80, 160, 320, 360]
    assert next_wait(replace(window, opened_at=window.opened_at + WAIT_MAX), SHORTEST) == SHORTEST


def test_a_notice_is_named_after_the_entries_that_it_is_about() -> None:
    refusals = Window("health", "log", 2, 5, 9, NOW, SHORTEST)
    assert (refusals.type, refusals.notice_id) == ("notice.refusal", "notice.refusal.health.i5-i9")
    assert replace(refusals, source="revenue").notice_id == "notice.anomaly.health.revenue.i5-i9"


@every(
    "left, days",
    [(15 * DAY, None), (14 * DAY, 14), (3 * DAY, 14), (2 * DAY, 2), (DAY, 2), (0 * DAY, None), (-DAY, None)],
)
def test_a_token_is_warned_of_two_weeks_and_two_days_before_it_expires(left: timedelta, days: int | None) -> None:
    assert warning(NOW - 90 * DAY, NOW + left, NOW) == days
    assert warning(NOW, NOW + left, NOW) is None, "one that never was valid for longer"


def test_a_month_is_judged_after_its_day_in_riyadh_and_the_last_one_until_then() -> None:
    midnight = datetime(2026, 11, 5, 21, tzinfo=UTC)  # 00:00 of 6 November in Riyadh
    for at, since in ((midnight, "2026-10-31T21:00"), (midnight - timedelta(seconds=1), "2026-09-30T21:00")):
        period = last_period(EACH_MONTH, at)
        assert period is not None
        assert period.since.isoformat()[:16] == since
    january = last_period(EACH_MONTH, datetime(2027, 1, 2, tzinfo=UTC))
    assert january is not None
    assert item_of(EACH_MONTH, january) == "7.2026-12"
    assert last_period(replace(EACH_MONTH, created_at=midnight), midnight) is None, "it was declared after the day"


def test_days_are_counted_from_the_last_event_or_from_the_declaration() -> None:
    period = last_period(EACH_WEEK, NOW)
    assert period is not None
    assert period.since == NOW - 7 * DAY
    assert (has_come(EACH_WEEK, 40), has_come(EACH_WEEK, 41)) == (True, False)
    assert not has_come(replace(EACH_WEEK, last_index=None), 0)
    assert item_of(EACH_WEEK, period) == "7.after-i40", "one silence, however long"
    assert last_period(replace(EACH_WEEK, created_at=NOW - 6 * DAY), NOW) is None
