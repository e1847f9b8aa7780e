"""Words, numbers, money and dates as a reader of one language sees them, and days, times and amounts as somebody typed
them into a form, in Western or Arabic digits.

Digits are Western in both languages, as in the documents that the figures are compared with. What is written from left
to right inside Arabic text is isolated (`<bdi>`), so that its order cannot change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Final, Literal

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from consumers.replay.as_of.point_in_time import RIYADH
from events.values.bilingual import Language
from events.values.calendar import FIRST_DATE, LAST_DATE, DateOutOfRange, parts_of
from events.values.fields import DATE_PATTERN
from events.values.month_names import HIJRI_MONTHS

DEFAULT: Final[Language] = "ar"
_LOCALES: Final[dict[Language, Locale]] = {"ar": Locale("ar", "SA"), "en": Locale("en", "GB")}
_HALALAS: Final = Decimal(100)
_WESTERN: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬", "01234567890123456789.,")


@dataclass(frozen=True, slots=True)
class Words:
    """One reader's language. Templates have it as `w`."""

    language: Language

    @property
    def direction(self) -> Literal["rtl", "ltr"]:
        return "rtl" if self.language == "ar" else "ltr"

    @property
    def other(self) -> Language:
        return "en" if self.language == "ar" else "ar"

    def say(self, ar: str, en: str) -> str:
        """The text of this language. Templates have it as `t`."""
        return ar if self.language == "ar" else en

    def of(self, names: object) -> str:
        """The text of a name in two languages: an object or mapping with `ar` and `en`."""
        found = names.get(self.language) if isinstance(names, dict) else getattr(names, self.language)
        return str(found)

    def text(self, names: object) -> Markup:
        """The text of a name or a sentence in two languages. It reads in its language's direction, also where its first
        word is of the other's letters, and keeps the order around it. What is in English only reads from the left."""
        text, direction = self.of(names), self.direction
        if text == Words("en").of(names):
            direction = "ltr"
        return Markup('<bdi dir="{}">{}</bdi>').format(direction, text)

    def number(self, value: int | Decimal, sign: str = "") -> Markup:
        return _ltr(sign + format_decimal(value, locale=_LOCALES[self.language], numbering_system="latn"))

    def percent(self, basis_points: int) -> Markup:
        """A rate of basis points: 7,000 is 70 %."""
        share = Decimal(basis_points) / 10_000
        text = format_percent(share, "#,##0.##%", locale=_LOCALES["en"], decimal_quantization=False)
        return _ltr(text)

    def money(self, halalas: int, sign: str = "") -> Markup:
        """Riyals with two decimals and the currency. A sign keeps its place only beside the digits."""
        amount = sign + format_decimal(Decimal(halalas) / _HALALAS, "#,##0.00", locale=_LOCALES["en"])
        return Markup('<span class="money">{}</span>').format(
            Markup("{} ر.س").format(_ltr(amount)) if self.language == "ar" else _ltr(f"SAR {amount}")
        )

    def day(self, on: str) -> Markup:
        """A date YYYY-MM-DD in words, in both calendars."""
        hijri = self.hijri(on)
        text = Markup('<time datetime="{}">{}</time>').format(on, self.gregorian(on))
        return text if hijri is None else Markup('{} <span class="hijri">({})</span>').format(text, hijri)

    def gregorian(self, on: str) -> str:
        found = datetime.strptime(on, "%Y-%m-%d").replace(tzinfo=UTC).date()
        return western(format_date(found, "d MMMM y", locale=_LOCALES[self.language]))

    def hijri(self, on: str) -> str | None:
        """The Umm al-Qura date in words, or None outside its table."""
        if not FIRST_DATE <= on <= LAST_DATE:
            return None
        year, month, day = parts_of(on, "umm-al-qura")
        names = HIJRI_MONTHS[month - 1]
        return f"{day} {self.of(names)} {year}{self.say(' هـ', ' AH')}"

    def hijri_if_day(self, text: str) -> str | None:
        """The Umm al-Qura date of a text that may be no date."""
        try:
            return self.hijri(text)
        except DateOutOfRange:
            return None

    def moment(self, at: str | datetime) -> Markup:
        """A UTC instant, as the clock in Riyadh shows it."""
        found = datetime.fromisoformat(at) if isinstance(at, str) else at
        local = found.astimezone(RIYADH)
        text = western(format_datetime(local, "d MMM y HH:mm", locale=_LOCALES[self.language]))
        return Markup('<time datetime="{}">{}</time>').format(found.astimezone(UTC).isoformat(), text)


def isolated(text: object) -> Markup:
    """A text of unknown direction, such as one of an event:
    it keeps the order around it."""
    return Markup("<bdi>{}</bdi>").format(text)


def english(text: object) -> Markup:
    """A sentence that there is in English only, such as the reason of a halt."""
    return Markup('<span lang="en" dir="ltr">{}</span>').format(text)


def code(text: object) -> Markup:
    """An identifier or another text of machines: always from left to right."""
    return Markup('<code dir="ltr">{}</code>').format(text)


def _ltr(text: str) -> Markup:
    return Markup('<bdi dir="ltr">{}</bdi>').format(escape(text))


def western(text: str) -> str:
    """With Western digits and separators: the dates of `ar_SA` have Arabic ones, and people type them."""
    return text.translate(_WESTERN)


SPACES: Final = " \u00a0\u202f"


def number_text(text: str, further: str = "") -> str:
    """As `western`, and a number whose thousands are separated, by commas or one of `further`, without the separators:
    `6,25` stays as it is."""
    plain, separators = western(text).strip(), f",{further}"
    grouped = rf"-?[0-9]{{1,3}}(?:([{separators}])[0-9]{{3}})(?:\1[0-9]{{3}})*(?:\.[0-9]+)?"
    return plain.translate(dict.fromkeys(map(ord, separators))) if re.fullmatch(grouped, plain) else plain


_DAY: Final = re.compile(DATE_PATTERN.strip("^$"))
_HOUR: Final = re.compile(r"[T ]+([0-9]:)?")
_NUMBER: Final = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,2}))?")


def is_day(text: str) -> bool:
    """Whether it is a date that events can have."""
    return _DAY.fullmatch(text) is not None


def instant_of(text: str, of_day: time = time.min) -> datetime | None:
    """A time, in Riyadh where it names no offset; of a day alone the time `of_day`. None: it is neither."""
    plain = _HOUR.sub(lambda found: f"T0{found[1]}" if found[1] else "T", western(text).strip().upper())
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        return None
    if len(plain) == len("2006-03-01"):
        found = datetime.combine(found.date(), of_day)
    return found if found.tzinfo else found.replace(tzinfo=RIYADH)


def hundredths(text: str) -> int | None:
    """A number with at most two decimals in hundredths: `62.5` is 6250. None: it is no number."""
    found = _NUMBER.fullmatch(number_text(re.sub("[%٪]", "", text), SPACES))
    if found is None:
        return None
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
