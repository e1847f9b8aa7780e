"""Periods, contract years and working days."""

from __future__ import annotations

from datetime import date

import pytest

from tests.oracle.calendars import (
    contract_year,
    date_parts,
    is_working_day,
    period_of,
    periods_between,
    riyadh_date,
    working_days_from,
    working_days_later,
)


def test_resolution_110_is_of_the_fifth_of_rabi_al_akhir() -> None:
    assert date_parts("2004-05-24", "umm-al-qura") == (1425, 4, 5)


@pytest.mark.parametrize(
    ("calendar", "kind", "label"),
    [
        ("gregorian", "month", "2004-05"),
        ("gregorian", "quarter", "2004-Q2"),
        ("umm-al-qura", "month", "1425-04"),
        ("umm-al-qura", "quarter", "1425-Q2"),
    ],
)
def test_a_day_lies_in_a_period_of_the_contracts_calendar(calendar: str, kind: str, label: str) -> None:
    assert period_of("2004-05-24", calendar, kind) == label


def test_periods_go_over_the_turn_of_the_year() -> None:
    assert periods_between("2004-11-30", "2005-01-01", "gregorian", "month") == ("2004-11", "2004-12", "2005-01")
    assert periods_between("2004-11-30", "2005-01-01", "gregorian", "quarter") == ("2004-Q4", "2005-Q1")


@pytest.mark.parametrize(("day", "year"), [("2005-02-27", 0), ("2005-02-28", 1), ("2008-02-28", 3), ("2008-02-29", 4)])
def test_a_leap_day_has_its_anniversary_on_the_last_day_of_february(day: str, year: int) -> None:
    assert contract_year(day, "2004-02-29", "gregorian") == year


def test_a_contract_year_of_the_hijri_calendar_is_shorter() -> None:
    assert contract_year("2006-01-30", "2005-02-10", "umm-al-qura") == 0
    assert contract_year("2006-01-31", "2005-02-10", "umm-al-qura") == 1


def test_the_recorded_date_is_that_of_riyadh() -> None:
    assert riyadh_date("2026-11-25T20:59:59.999999Z") == date(2026, 11, 25)
    assert riyadh_date("2026-11-25T21:00:00.000000Z") == date(2026, 11, 26)


@pytest.mark.parametrize(
    "holiday", ["2026-11-27", "2026-11-28", "2026-09-23", "2026-02-22", "2026-03-22", "2026-05-26", "2026-05-27"]
)
def test_weekends_and_national_holidays_are_no_working_days(holiday: str) -> None:
    assert not is_working_day(date.fromisoformat(holiday))


def test_the_first_working_day_after_is_day_one() -> None:
    thursday = date(2026, 11, 26)
    assert working_days_later(thursday, 1) == date(2026, 11, 29)
    assert working_days_later(thursday, 10) == date(2026, 12, 10)


def test_lost_working_days_include_the_first_and_not_the_last() -> None:
    assert working_days_from(date(2026, 11, 26), date(2026, 11, 29)) == 1
    assert working_days_from(date(2026, 11, 26), date(2026, 11, 26)) == 0
