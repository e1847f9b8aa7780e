"""Contract periods (R1) and contract years (R6) in both calendars."""

from __future__ import annotations

from events.values.calendar import FIRST_DATE, LAST_DATE, CalendarName
from events.values.periods import (
    PeriodKind,
    anniversary,
    contract_year,
    next_period,
    period_error,
    period_kind,
    period_of,
    periods_of_term,
)
from tests.every import every


@every(
    ("on", "calendar", "kind", "label"),
    [
        ("2005-04-20", "umm-al-qura", "month", "1426-03"),
        ("2005-04-20", "umm-al-qura", "quarter", "1426-Q1"),
        ("2005-04-20", "gregorian", "month", "2005-04"),
        ("2005-04-20", "gregorian", "quarter", "2005-Q2"),
        (FIRST_DATE, "umm-al-qura", "quarter", "1343-Q1"),
        (LAST_DATE, "umm-al-qura", "month", "1500-12"),
        (LAST_DATE, "gregorian", "quarter", "2077-Q4"),
    ],
)
def test_the_period_of_a_date(on: str, calendar: CalendarName, kind: PeriodKind, label: str) -> None:
    assert period_of(on, calendar, kind) == label
    assert period_kind(label) == kind


def test_a_term_has_whole_periods_that_follow_one_another_though_its_first_and_last_are_cut() -> None:
    assert periods_of_term("2005-01-10", "2005-03-05", "gregorian", "month") == ("2005-01", "2005-02", "2005-03")
    assert periods_of_term("2005-01-31", "2005-01-31", "gregorian", "month") == ("2005-01",)
    assert periods_of_term("2005-01-31", "2005-01-30", "gregorian", "month") == ()
    quarters = periods_of_term("2005-02-10", "2006-01-30", "umm-al-qura", "quarter")
    assert quarters == ("1426-Q1", "1426-Q2", "1426-Q3", "1426-Q4")
    assert len(periods_of_term(FIRST_DATE, LAST_DATE, "umm-al-qura", "month")) == 158 * 12, "the whole table"
    pairs = [("1426-12", "1427-01"), ("1426-Q4", "1427-Q1"), ("2005-09", "2005-10"), ("1500-12", "1501-01")]
    assert [(label, next_period(label)) for label, _ in pairs] == pairs


def test_a_hijri_anniversary_on_day_30_becomes_the_last_day_of_a_short_month() -> None:
    # 30 Safar 1426 is 2005-04-09; Safar 1427 has 29 days, the last of them 2006-03-29.
    assert anniversary("2005-04-09", 2, "umm-al-qura") == "2006-03-29"
    assert contract_year("2005-04-09", "2006-03-28", "umm-al-qura") == 1
    assert contract_year("2005-04-09", "2006-03-29", "umm-al-qura") == 2


@every("calendar", ["gregorian", "umm-al-qura"])
@every("starts_on", ["2004-02-29", "2005-01-31", "2005-05-08", "2006-12-31"])
def test_each_anniversary_is_the_first_day_of_its_year(starts_on: str, calendar: CalendarName) -> None:
    for number in range(1, 30):
        first = anniversary(starts_on, number, calendar)
        assert contract_year(starts_on, first, calendar) == number
    days = [anniversary("2004-02-29", number, "gregorian") for number in (1, 2, 4, 5)]
    assert days == ["2004-02-29", "2005-02-28", "2007-02-28", "2008-02-29"], "computed from the start itself"


@every(
    ("text", "reason"),
    [
        *((label, None) for label in ("1426-01", "1426-12", "2005-Q1", "2005-Q4")),
        ("1426-13", "1426-13 is not a period: months are 01–12"),
        ("1426-00", "1426-00 is not a period: months are 01–12"),
        ("1426-3", "1426-3 is not a period: months are 01–12"),
        ("1426-Q5", "1426-Q5 is not a period: quarters are Q1–Q4"),
        ("1426-Q0", "1426-Q0 is not a period: quarters are Q1–Q4"),
        ("1426-q1", "1426-q1 is not a period: quarters are Q1–Q4"),
        ("1426-Q12", "1426-Q12 is not a period: quarters are Q1–Q4"),
        ("1426", "'1426' is not a period: write a month as 1426-03, a quarter as 1426-Q1"),
        ("١٤٢٦-٠٣", "'١٤٢٦-٠٣' is not a period: write a month as 1426-03, a quarter as 1426-Q1"),
        ("1426-03\n", "'1426-03\\n' is not a period: write a month as 1426-03, a quarter as 1426-Q1"),
    ],
)
def test_what_is_no_label_is_named_with_the_rule(text: str, reason: str | None) -> None:
    assert period_error(text) == reason
