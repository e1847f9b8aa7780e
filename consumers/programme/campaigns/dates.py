"""A date in words, in both calendars: Tuesday 24 May 2005 (16 Rabi al-Thani 1426 AH)."""

from __future__ import annotations

from datetime import date

from events.values.bilingual import Bilingual
from events.values.calendar import FIRST_DATE, LAST_DATE, parts_of
from events.values.month_names import GREGORIAN_MONTHS, HIJRI_MONTHS, WEEKDAYS


def day_of_month(on: str) -> Bilingual:
    """An ISO date for a title: 15 December."""
    day = date.fromisoformat(on)
    month = GREGORIAN_MONTHS[day.month - 1]
    return Bilingual(*(f"{day.day} {getattr(month, language)}" for language in ("ar", "en")))


def in_words(on: str) -> Bilingual:
    """An ISO date with its weekday; outside the Umm al-Qura table, in the Gregorian calendar alone."""
    day = date.fromisoformat(on)
    weekday, month = WEEKDAYS[day.weekday()], GREGORIAN_MONTHS[day.month - 1]
    gregorian = Bilingual(*(f"{getattr(weekday, ln)} {day.day} {getattr(month, ln)} {day.year}" for ln in ("ar", "en")))
    if not FIRST_DATE <= on <= LAST_DATE:
        return gregorian
    year, number, hijri_day = parts_of(on, "umm-al-qura")
    sentence = Bilingual("{} م ({} {} {} هـ)", "{} ({} {} {} AH)")
    return sentence.format(gregorian, hijri_day, HIJRI_MONTHS[number - 1], year)
