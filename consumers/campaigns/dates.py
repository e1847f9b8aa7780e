"""A date in words, in both calendars: Tuesday 24 May 2005 (16 Rabi al-Thani 1426 AH)."""

from __future__ import annotations

from datetime import date
from typing import Final

from events.faults.problems import Bilingual
from events.values.calendar import FIRST_DATE, LAST_DATE, parts_of
from events.values.month_names import HIJRI_MONTHS

_WEEKDAYS: Final = (
    Bilingual("الاثنين", "Monday"),
    Bilingual("الثلاثاء", "Tuesday"),
    Bilingual("الأربعاء", "Wednesday"),
    Bilingual("الخميس", "Thursday"),
    Bilingual("الجمعة", "Friday"),
    Bilingual("السبت", "Saturday"),
    Bilingual("الأحد", "Sunday"),
)
_MONTHS: Final = (
    Bilingual("يناير", "January"),
    Bilingual("فبراير", "February"),
    Bilingual("مارس", "March"),
    Bilingual("أبريل", "April"),
    Bilingual("مايو", "May"),
    Bilingual("يونيو", "June"),
    Bilingual("يوليو", "July"),
    Bilingual("أغسطس", "August"),
    Bilingual("سبتمبر", "September"),
    Bilingual("أكتوبر", "October"),
    Bilingual("نوفمبر", "November"),
    Bilingual("ديسمبر", "December"),
)


def in_words(on: str) -> Bilingual:
    """An ISO date with its weekday; outside the Umm al-Qura table, in the Gregorian calendar alone."""
    day = date.fromisoformat(on)
    weekday, month = _WEEKDAYS[day.weekday()], _MONTHS[day.month - 1]
    gregorian = Bilingual(*(f"{name} {day.day} {of} {day.year}" for name, of in zip(weekday, month, strict=True)))
    if not FIRST_DATE <= on <= LAST_DATE:
        return gregorian
    year, number, hijri_day = parts_of(on, "umm-al-qura")
    arabic, english = HIJRI_MONTHS[number - 1]
    return Bilingual(
        f"{gregorian.ar} م ({hijri_day} {arabic} {year} هـ)", f"{gregorian.en} ({hijri_day} {english} {year} AH)"
    )
