"""When reminders and digests are due, over weekends and feasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from consumers.delivery.mail.timed import digest_moment, due_dates_to_remind_of, reminder_at, today
from events.values.working_days import after_working_days, is_working_day
from tests.every import every


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@every(
    ("due_on", "reminder"),
    [
        ("2026-11-12", "2026-11-10T08:00+03:00"),  # Thursday: Tuesday
        ("2026-11-15", "2026-11-11T08:00+03:00"),  # Sunday: Wednesday, before the weekend
        ("2026-11-16", "2026-11-12T08:00+03:00"),  # Monday: Thursday
        ("2026-02-23", "2026-02-18T08:00+03:00"),  # Monday after Founding Day, a Sunday: Wednesday
        ("2027-03-14", "2027-03-07T08:00+03:00"),  # Sunday after Eid al-Fitr and its weekend
        ("2026-06-01", "2026-05-25T08:00+03:00"),  # Monday after Eid al-Adha and its weekend
    ],
)
def test_a_reminder_is_due_at_eight_two_working_days_before(due_on: str, reminder: str) -> None:
    assert reminder_at(due_on) == at(reminder)
    assert after_working_days(reminder[:10], 2) == due_on


def test_a_reminder_holds_until_the_due_date_is_over() -> None:
    first, last = at("2026-11-11T08:00+03:00"), at("2026-11-15T23:59:59+03:00")
    assert "2026-11-15" in due_dates_to_remind_of(first)
    assert "2026-11-15" in due_dates_to_remind_of(last)
    assert "2026-11-15" not in due_dates_to_remind_of(first - timedelta(microseconds=1))
    assert "2026-11-15" not in due_dates_to_remind_of(last + timedelta(seconds=1))


def test_every_working_day_of_ten_years_is_reminded_of_before_it_is_over() -> None:
    day = datetime(2026, 1, 1, 21, 0, tzinfo=UTC)
    for _ in range(3_650):
        day += timedelta(days=1)
        on = today(day)
        if is_working_day(on):
            assert on in due_dates_to_remind_of(day), on
            assert reminder_at(on) < day


def test_the_digest_is_of_the_last_sunday_at_eight_in_riyadh() -> None:
    sunday = at("2026-11-15T08:00+03:00")
    assert digest_moment(sunday) == digest_moment(sunday + timedelta(hours=47)) == sunday
    assert digest_moment(sunday + timedelta(hours=48)) is None
    assert digest_moment(sunday - timedelta(seconds=1)) is None
    assert digest_moment(at("2026-11-14T23:30+00:00")) is None  # Sunday 02:30 in Riyadh
    assert today(at("2026-11-14T21:00+00:00")) == "2026-11-15"
    assert today(at("2026-11-14T20:59+00:00")) == "2026-11-14"
