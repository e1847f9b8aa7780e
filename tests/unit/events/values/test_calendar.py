"""Umm al-Qura by table, against the published facts and against hijridate for every day of the range."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hijridate import Gregorian

from events.values.calendar import (
    FIRST_DATE,
    LAST_DATE,
    DateOutOfRange,
    day_after,
    gregorian_of,
    hijri_of,
    month_length,
    parts_of,
    year_of,
)
from tests.every import every


def test_every_day_of_the_range_agrees_with_hijridate_and_comes_back() -> None:
    day = date.fromisoformat(FIRST_DATE)
    while (on := day.isoformat()) <= LAST_DATE:
        hijri = Gregorian(day.year, day.month, day.day).to_hijri()
        assert hijri_of(on) == hijri.isoformat()
        if hijri.day in (1, 29, 30):
            assert gregorian_of(hijri.year, hijri.month, hijri.day, "umm-al-qura") == on
            assert month_length(hijri.year, hijri.month, "umm-al-qura") == hijri.month_length()
        day += timedelta(days=1)


@every("on", ["1924-07-31", "2077-11-17", "2005-02-30", "2005-2-3", "", "20050203", "x", "2005-W01-1"])
def test_what_is_no_date_of_the_range_raises_and_says_so(on: str) -> None:
    with pytest.raises(DateOutOfRange, match="use a date in this range"):
        parts_of(on, "gregorian")


def test_a_day_that_a_month_lacks_raises() -> None:
    with pytest.raises(ValueError, match="has no day 30"):
        gregorian_of(2005, 2, 30, "gregorian")
    for year, month in ((1501, 1), (1500, 13)):
        with pytest.raises(DateOutOfRange):
            gregorian_of(year, month, 1, "umm-al-qura")
    assert (day_after(LAST_DATE), day_after(FIRST_DATE, -1)) == ("2077-11-17", "1924-07-31"), "edges have neighbours"
    assert (year_of("2008-12-29", "gregorian"), year_of("2008-12-29", "umm-al-qura")) == (2008, 1430)
