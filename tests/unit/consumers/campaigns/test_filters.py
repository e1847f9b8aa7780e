"""The day on which a list is seen, and which lists another day changes."""

from __future__ import annotations

from datetime import UTC, datetime

from consumers.as_of.point_in_time import PointInTime
from consumers.campaigns.filters import CampaignFilter, today_at

EVENING = datetime(2026, 11, 25, 21, 30, tzinfo=UTC)


def test_the_day_is_that_of_riyadh_at_the_point_in_time() -> None:
    assert today_at(PointInTime(), EVENING) == "2026-11-26"
    assert today_at(PointInTime(index=5), EVENING) == "2026-11-26"
    assert today_at(PointInTime(recorded=datetime(2026, 1, 1, tzinfo=UTC)), EVENING) == "2026-01-01"
    assert today_at(PointInTime(occurred="2006-03-01"), EVENING) == "2006-03-01"


def test_only_what_is_late_depends_on_the_day() -> None:
    assert CampaignFilter("2026-11-26", state="overdue").depends_on_today
    assert CampaignFilter("2026-11-26", overdue=False).depends_on_today
    assert not CampaignFilter("2026-11-26", state="open", due_before="2026-12-01").depends_on_today
