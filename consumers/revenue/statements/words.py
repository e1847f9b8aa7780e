"""A contract's terms and a statement's figures in words, Arabic and English.

Amounts are riyals with two decimals, fractions of a halala with as many as they have (at most eight, else rounded and
marked); rates are per cent; dates are Gregorian with the Umm al-Qura date beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from consumers.documents.ledger.partnerships import ExpectingVersion, PartnershipAndRevenue
from consumers.documents.ledger.statements import BandShare, DayShare
from consumers.revenue.statements.working import Band
from events.faults.problems import Bilingual
from events.values.calendar import hijri_of
from events.values.data import Data
from events.values.money import riyals_text

_DECIMALS_MAX: Final = 8


def left_to_right(text: str) -> str:
    """Figures inside an Arabic sentence, isolated so that signs stay on their side."""
    return f"\u2066{text}\u2069"


def date_text(on: str) -> Bilingual:
    """`2005-01-31 (1425-12-20 هـ)` and `2005-01-31 (1425-12-20 AH)`."""
    hijri = hijri_of(on)
    return Bilingual(f"{on} ({hijri} هـ)", f"{on} ({hijri} AH)")


def percent_text(rate_bp: int) -> str:
    """`7050` → `70.5%`."""
    whole, part = divmod(rate_bp, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"


def exact_riyals(halalas: Fraction | int | str) -> str:
    """Riyals with every digit that a fraction of a halala needs; `≈` before one that does not end.

    A fraction may be a text such as `79/20`.
    """
    amount = Fraction(halalas)
    if amount.denominator == 1:
        return riyals_text(amount.numerator)
    scaled = abs(amount) * 10 ** (_DECIMALS_MAX - 2)
    digits = round(scaled)
    whole, rest = divmod(digits, 10**_DECIMALS_MAX)
    decimals = f"{rest:0{_DECIMALS_MAX}d}".rstrip("0").ljust(2, "0")
    mark = "" if scaled.denominator == 1 else "≈"
    return f"{mark}{'-' if amount < 0 else ''}{whole:,}.{decimals}"


def band_text(band: Band | BandShare | DayShare) -> Bilingual:
    """The part of the cumulative revenue that a band covers."""
    if band.kind == "below-zero":
        return Bilingual("ما دون الصفر", "below zero")
    if band.kind == "beyond-cap":
        above = exact_riyals(band.above_halalas or 0)
        return Bilingual(
            f"ما زاد على {left_to_right(above)} بعد بلوغ السقف", f"above {above}, where the cap is reached"
        )
    if band.up_to_halalas is None:
        above = exact_riyals(band.above_halalas or 0)
        return Bilingual(f"ما زاد على {left_to_right(above)}", f"above {above}")
    low, high = exact_riyals(band.above_halalas or 0), exact_riyals(band.up_to_halalas)
    return Bilingual(f"من {left_to_right(low)} إلى {left_to_right(high)}", f"from {low} to {high}")


def terms_in_words(partnership: PartnershipAndRevenue) -> Iterator[Bilingual]:
    """The contract, sentence by sentence, with each version and its effect."""
    agency, partner, basis = partnership.agency, partnership.partner, partnership.legal_basis
    yield Bilingual(
        f"الطرفان: الجهة {agency} والشريك {partner.name.ar} ({partner.partner_id}).",
        f"Parties: agency {agency} and partner {partner.name.en} ({partner.partner_id}).",
    )
    services = partnership.services
    yield Bilingual(f"الخدمات: {'، '.join(services)}.", f"Services: {', '.join(services)}.")
    yield Bilingual(f"السند النظامي: {basis.ar}", f"Legal basis: {basis.en}")
    signed, start, end = map(date_text, (partnership.signed_on, partnership.starts_on, partnership.ends_on))
    yield Bilingual(
        f"وُقّع في {signed.ar}؛ مدته من {start.ar} إلى {end.ar}.",
        f"Signed on {signed.en}; it runs from {start.en} to {end.en}.",
    )
    if partnership.terminated_on is not None:
        ended = date_text(partnership.terminated_on)
        yield Bilingual(f"أُنهي في {ended.ar}.", f"Terminated on {ended.en}.")
    calendar, kind, tiers = partnership.calendar, partnership.period, partnership.tier_basis
    yield Bilingual(
        f"الفترة {kind.ar} {calendar.ar}؛ تُحسب الشرائح {tiers.ar}.",
        f"A period is a {kind.en} {calendar.en}; bands are counted {tiers.en}.",
    )
    for version in partnership.versions:
        yield from version_in_words(version)


def version_in_words(version: ExpectingVersion) -> Iterator[Bilingual]:
    """One version: from when it holds, to when it lets the term run, its expected revenue, bands, cap and guarantee."""
    terms, number, start, index = version.terms, version.version, version.effective_from, version.index
    if version.reason is None:
        yield Bilingual(
            f"النسخة {number}: كما وُقّعت، من الفترة {start} (القيد {index}).",
            f"Version {number}: as signed, from period {start} (log entry {index}).",
        )
    else:
        yield Bilingual(
            f"النسخة {number}: تعديل من الفترة {start} (القيد {index}). السبب: {version.reason.ar}",
            f"Version {number}: amended from period {start} (log entry {index}). Reason: {version.reason.en}",
        )
    end = date_text(terms["ends_on"])
    yield Bilingual(f"تمتد مدة العقد إلى {end.ar}.", f"The term runs to {end.en}.")
    yield _expected_in_words(version.expected_halalas, start)
    yield from _bands_in_words(terms["bands"])
    cap = terms["cap"]
    if cap is not None:
        amount, rate = riyals_text(cap["amount_halalas"]), percent_text(cap["partner_bp_after"])
        yield Bilingual(
            f"السقف: إذا بلغت حصة الشريك {amount} ريال فله {rate} مما بعدها.",
            f"Cap: once the partner's share reaches SAR {amount}, the partner gets {rate} of what follows.",
        )
    guarantee = terms["guarantee"]
    if guarantee is not None:
        yield _guarantee_in_words(guarantee)


def _expected_in_words(halalas: int, start: str) -> Bilingual:
    if not halalas:
        return Bilingual(f"لا إيراد متوقع من الفترة {start}.", f"No revenue is expected from period {start} on.")
    amount = riyals_text(halalas)
    return Bilingual(
        f"مجموع الإيراد المتوقع من الفترة {start}: {amount} ريال.",
        f"The expected revenue from period {start} on is SAR {amount} in all.",
    )


def _bands_in_words(bands: Sequence[Data]) -> Iterator[Bilingual]:
    below = 0
    for band in bands:
        rate, up_to = percent_text(band["partner_bp"]), band["up_to_halalas"]
        low = riyals_text(below)
        if up_to is None:
            yield Bilingual(f"للشريك {rate} مما زاد على {low} ريال.", f"The partner gets {rate} above SAR {low}.")
            return
        high = riyals_text(up_to)
        yield Bilingual(
            f"للشريك {rate} من {low} إلى {high} ريال.", f"The partner gets {rate} from SAR {low} to SAR {high}."
        )
        below = up_to


def _guarantee_in_words(guarantee: Data) -> Bilingual:
    rate = percent_text(guarantee["partner_floor_bp_of_expected"])
    ar = "وتُسترد التكملة من فائض الفترات اللاحقة" if guarantee["recoverable"] else "ولا تُسترد التكملة"
    en = (
        "top-ups are recovered from the surplus of later periods"
        if guarantee["recoverable"]
        else "top-ups are not recovered"
    )
    return Bilingual(
        f"الضمان: للشريك في كل فترة {rate} من الإيراد المتوقع على الأقل، {ar}.",
        f"Guarantee: the partner gets at least {rate} of the expected revenue of each period; {en}.",
    )
