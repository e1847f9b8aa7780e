"""What lists and pages of campaigns say of the day: which one it is, what is late, what comes next."""

from __future__ import annotations

from datetime import UTC, datetime

from consumers.programme.campaigns.filters import CampaignFilter, today_at
from consumers.programme.campaigns.next_step import next_command, time_left
from consumers.programme.campaigns.read import HISTORY_MAX, hijri, shown_history
from consumers.replay.as_of.point_in_time import PointInTime
from events.values.bilingual import Bilingual
from tests.every import every
from tests.world.campaigns import inbox_item

EVENING = datetime(2026, 11, 25, 21, 30, tzinfo=UTC)


def test_the_day_is_that_of_riyadh_at_the_point_in_time_and_only_what_is_late_depends_on_it() -> None:
    assert today_at(PointInTime(), EVENING) == today_at(PointInTime(index=5), EVENING) == "2026-11-26"
    assert today_at(PointInTime(recorded=datetime(2026, 1, 1, tzinfo=UTC)), EVENING) == "2026-01-01"
    assert today_at(PointInTime(occurred="2006-03-01"), EVENING) == "2006-03-01"
    assert CampaignFilter("2026-11-26", state="overdue").depends_on_today
    assert CampaignFilter("2026-11-26", overdue=False).depends_on_today
    assert CampaignFilter("2026-11-26", sort="overdue").depends_on_today
    assert not CampaignFilter("2026-11-26", state="open", due_before="2026-12-01").depends_on_today
    assert (hijri("2026-11-26"), hijri("2077-11-17")) == ("1448-06-16", None)


@every(
    ("due_on", "ar", "en"),
    [
        ("2026-11-26", "الموعد اليوم", "due today"),
        ("2026-11-28", "لم يبق يوم عمل", "no working day left"),
        ("2026-11-29", "بقي يوم عمل واحد", "1 working day left"),
        ("2026-11-30", "بقي يوما عمل", "2 working days left"),
        ("2026-12-10", "بقي 10 أيام عمل", "10 working days left"),
        ("2026-12-13", "بقي 11 يوم عمل", "11 working days left"),
        ("2026-11-25", "حل موعدها قبل يوم واحد", "due 1 day ago"),
        ("2026-11-24", "حل موعدها قبل يومين", "due 2 days ago"),
        ("2026-11-12", "حل موعدها قبل 14 يومًا", "due 14 days ago"),
        ("2026-08-18", "حل موعدها قبل 100 يوم", "due 100 days ago"),
        ("2026-08-16", "حل موعدها قبل 102 يوم", "due 102 days ago"),
        ("2026-08-15", "حل موعدها قبل 103 أيام", "due 103 days ago"),
    ],
)
def test_what_is_left_counts_working_days_and_what_is_past_counts_days(due_on: str, ar: str, en: str) -> None:
    assert time_left(due_on, "2026-11-26") == Bilingual(ar, en)


def test_a_team_acknowledges_then_airs_on_what_is_missing_then_completes() -> None:
    def following(action: str | None) -> str | None:
        return next_command(inbox_item(next_action=action, missing_channels=["print"]))

    assert following("acknowledge") == "yesser campaigns ack service-launched.i4 --by DESK"
    assert (following("air") or "").startswith("yesser campaigns air service-launched.i4 --channel print ")
    assert following("complete") == "yesser campaigns complete service-launched.i4"
    assert following(None) is None


def test_a_history_is_in_log_order_and_what_changed_nothing_takes_only_the_room_that_is_left() -> None:
    assert shown_history([9, 4], [7, 5]) == [4, 5, 7, 9]
    anomalies = range(1_000, 1_000 + 2 * HISTORY_MAX)
    found = shown_history([5_000, 3], anomalies)
    assert (len(found), found[0], found[-2:]) == (HISTORY_MAX, 3, [anomalies[-1], 5_000])
    assert shown_history(range(HISTORY_MAX), [HISTORY_MAX]) == list(range(HISTORY_MAX))
