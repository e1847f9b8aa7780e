"""Working days in Riyadh: Sunday to Thursday without the national holidays."""

from __future__ import annotations

from datetime import date, timedelta

from events.values.calendar import gregorian_of
from events.values.working_days import after_working_days, count_working_days, due_on, is_working_day, riyadh_date
from tests.every import every


@every(
    ("on", "works"),
    [
        ("2026-11-26", True),  # Thursday
        ("2026-11-27", False),  # Friday
        ("2026-11-28", False),  # Saturday
        ("2026-11-29", True),  # Sunday
        ("2026-09-23", False),  # National Day, a Wednesday
        ("2026-02-22", False),  # Founding Day, a Sunday
        *((gregorian_of(1447, 10, day, "umm-al-qura"), day > 3) for day in (1, 2, 3, 4)),
        *((gregorian_of(1447, 12, day, "umm-al-qura"), day == 8) for day in (8, 9, 10, 11, 12, 13)),
    ],
)
def test_working_days(on: str, works: bool) -> None:
    weekend = on in ("2026-03-20", "2026-03-21", "2026-05-29", "2026-05-30")
    assert is_working_day(on) == (works and not weekend)


def test_the_first_working_day_after_the_cause_is_day_1_and_the_day_changes_at_midnight_in_riyadh() -> None:
    assert after_working_days("2026-11-25", 1) == "2026-11-26"
    assert after_working_days("2026-11-26", 1) == "2026-11-29"
    assert after_working_days("2026-11-27", 0) == "2026-11-27"
    # Arafat and Eid al-Adha 1447 are 26 to 30 May 2026.
    assert after_working_days("2026-05-25", 1) == "2026-05-31"
    recorded = ("2026-11-25T20:59:59.999999Z", "2026-11-25T21:00:00.000000Z", "2026-12-31T23:00:00.000000Z")
    assert [riyadh_date(time) for time in recorded] == ["2026-11-25", "2026-11-26", "2027-01-01"]
    assert due_on(recorded[1], 10) == "2026-12-10"


def test_days_are_counted_from_the_first_up_to_but_without_the_last() -> None:
    for last, days in (("2026-11-25", 0), ("2026-11-26", 0), ("2026-11-29", 1), ("2026-11-30", 2)):
        assert count_working_days("2026-11-26", last) == days, last


def test_beyond_the_table_only_the_weekend_and_the_fixed_days_count() -> None:
    assert is_working_day("2077-11-17")
    assert after_working_days("2077-11-16", 10) == "2077-11-30"
    assert not is_working_day("2078-09-23")


@every("first", [date(1936, 12, 20), date(2005, 1, 1), date(2026, 11, 27), date(2077, 10, 1)])
def test_a_day_is_found_and_counted_as_by_walking_day_by_day(first: date) -> None:
    walked = [day.isoformat() for n in range(900) if is_working_day((day := first + timedelta(n)).isoformat())]
    for n in range(0, 400, 7):
        on = first + timedelta(n)
        later = [day for day in walked if day > on.isoformat()]
        for days in (1, 2, 9, 250):
            assert after_working_days(on.isoformat(), days) == later[days - 1]
            before = (on + timedelta(days)).isoformat()
            assert count_working_days(on.isoformat(), before) == sum(on.isoformat() <= day < before for day in walked)
