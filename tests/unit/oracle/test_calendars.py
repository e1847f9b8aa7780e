"""The oracle's calendars agree with the product's, which have the published facts as their tests."""

from __future__ import annotations

from datetime import date, timedelta

from events.values import periods, working_days
from events.values.calendar import CalendarName, parts_of
from events.values.periods import PeriodKind
from tests.every import every
from tests.oracle import calendars

KINDS: tuple[PeriodKind, ...] = ("month", "quarter")
STARTS = ("2004-02-29", "2005-01-31", "2005-02-10", "2005-04-09")


@every("calendar", ["gregorian", "umm-al-qura"])
def test_dates_periods_and_contract_years_are_the_same(calendar: CalendarName) -> None:
    for number in range(0, 55_000, 7):
        day = (date(1924, 8, 1) + timedelta(number)).isoformat()
        assert calendars.date_parts(day, calendar) == parts_of(day, calendar)
        for kind in KINDS:
            assert calendars.period_of(day, calendar, kind) == periods.period_of(day, calendar, kind)
    for number in range(3_000):
        day = (date(2004, 2, 28) + timedelta(number)).isoformat()
        for start in STARTS:
            assert calendars.contract_year(day, start, calendar) + 1 == periods.contract_year(start, day, calendar)
    for start in STARTS:
        for kind in KINDS:
            for last in (start, "2005-12-31", "2008-02-29"):
                term = periods.periods_of_term(start, last, calendar, kind)
                assert calendars.periods_between(start, last, calendar, kind) == term


def test_working_days_are_the_same() -> None:
    for number in range(4_000):
        day = date(2020, 1, 1) + timedelta(number)
        on = day.isoformat()
        assert calendars.is_working_day(day) == working_days.is_working_day(on)
    for number in range(0, 400, 3):
        day, end = date(2026, 1, 1) + timedelta(number), date(2027, 2, 1)
        on = day.isoformat()
        for days in (0, 1, 10):
            later = calendars.working_days_later(day, days)
            assert later.isoformat() == working_days.after_working_days(on, days)
            for last in (later, end):
                counted = working_days.count_working_days(on, last.isoformat())
                assert calendars.working_days_from(day, last) == counted
    for recorded in ("2026-11-25T20:59:59.999999Z", "2026-11-25T21:00:00.000000Z", "2026-12-31T23:00:00.000000Z"):
        assert calendars.riyadh_date(recorded).isoformat() == working_days.riyadh_date(recorded)
