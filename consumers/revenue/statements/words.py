"""A contract's terms and a statement's figures in words, Arabic and English.

Amounts are riyals with two decimals, fractions of a halala with as many as they have (at most eight, else rounded and
marked); rates are per cent; dates are Gregorian with the Umm al-Qura date beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from consumers.documents.document import in_sentence
from consumers.documents.formulas import percent_text
from consumers.documents.ledger.partnerships import ExpectingVersion, PartnershipAndRevenue
from consumers.documents.ledger.statements import BandShare, DayShare
from consumers.documents.names import Names, with_code
from consumers.revenue.statements.working import Band
from events.values.bilingual import Bilingual, joined
from events.values.calendar import hijri_of
from events.values.data import Data
from events.values.money import riyals_text

_DECIMALS_MAX: Final = 8


def date_text(on: str) -> Bilingual:
    """`2005-01-31 (1425-12-20 هـ)` and `2005-01-31 (1425-12-20 AH)`."""
    hijri = hijri_of(on)
    return Bilingual("{} ({} هـ)", "{} ({} AH)").format(on, hijri)


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
        return Bilingual("ما زاد على {} بعد بلوغ السقف", "above {}, where the cap is reached").format(above)
    if band.up_to_halalas is None:
        above = exact_riyals(band.above_halalas or 0)
        return Bilingual("ما زاد على {}", "above {}").format(above)
    low, high = exact_riyals(band.above_halalas or 0), exact_riyals(band.up_to_halalas)
    return Bilingual("من {} إلى {}", "from {} to {}").format(low, high)


def terms_in_words(partnership: PartnershipAndRevenue, names: Names) -> Iterator[Bilingual]:
    """The contract, sentence by sentence, with each version and its effect."""
    partner, basis = partnership.partner, partnership.legal_basis
    agency = with_code(names, "agency", partnership.agency)
    yield Bilingual("الطرفان: الجهة {} والشريك {} ({}).", "Parties: agency {} and partner {} ({}).").format(
        agency, partner.name, partner.partner_id
    )
    services = [with_code(names, "service", service) for service in partnership.services]
    yield Bilingual("الخدمات: {}.", "Services: {}.").format(joined(services))
    yield Bilingual("السند النظامي: {}", "Legal basis: {}").format(basis)
    signed, start, end = map(date_text, (partnership.signed_on, partnership.starts_on, partnership.ends_on))
    yield Bilingual("وُقّع في {}؛ مدته من {} إلى {}.", "Signed on {}; it runs from {} to {}.").format(signed, start, end)
    if partnership.terminated_on is not None:
        ended = date_text(partnership.terminated_on)
        yield Bilingual("أُنهي في {}.", "Terminated on {}.").format(ended)
    calendar, kind, tiers = partnership.calendar, in_sentence(partnership.period), in_sentence(partnership.tier_basis)
    yield Bilingual(
        "الفترة {} في {}؛ تُحسب الشرائح على {}.", "A period is a {} of the {}; bands are counted over {}."
    ).format(kind, calendar, tiers)
    for version in partnership.versions:
        yield from version_in_words(version)


def version_in_words(version: ExpectingVersion) -> Iterator[Bilingual]:
    """One version: from when it holds, to when it lets the term run, its expected revenue, bands, cap and guarantee."""
    terms, number, start, index = version.terms, version.version, version.effective_from, version.index
    if version.reason is None:
        yield Bilingual(
            "النسخة {}: كما وُقّعت، من الفترة {} (القيد {}).", "Version {}: as signed, from period {} (log entry {})."
        ).format(number, start, index)
    else:
        yield Bilingual(
            "النسخة {number}: تعديل من الفترة {start} (القيد {index}). السبب: {reason}",
            "Version {number}: amended from period {start} (log entry {index}). Reason: {reason}",
        ).format(number=number, start=start, index=index, reason=version.reason)
    end = date_text(terms["ends_on"])
    yield Bilingual("تمتد مدة العقد إلى {}.", "The term runs to {}.").format(end)
    yield _expected_in_words(version.expected_halalas, start)
    yield from _bands_in_words(terms["bands"])
    cap = terms["cap"]
    if cap is not None:
        amount, rate = riyals_text(cap["amount_halalas"]), percent_text(cap["partner_bp_after"])
        yield Bilingual(
            "السقف: إذا بلغت حصة الشريك {} ريال فله {} مما بعدها.",
            "Cap: once the partner's share reaches SAR {}, the partner gets {} of what follows.",
        ).format(amount, rate)
    guarantee = terms["guarantee"]
    if guarantee is not None:
        yield _guarantee_in_words(guarantee)


def _expected_in_words(halalas: int, start: str) -> Bilingual:
    if not halalas:
        return Bilingual("لا إيراد متوقع من الفترة {}.", "No revenue is expected from period {} on.").format(start)
    amount = riyals_text(halalas)
    return Bilingual(
        "مجموع الإيراد المتوقع من الفترة {}: {} ريال.", "The expected revenue from period {} on is SAR {} in all."
    ).format(start, amount)


def _bands_in_words(bands: Sequence[Data]) -> Iterator[Bilingual]:
    below = 0
    for band in bands:
        rate, up_to = percent_text(band["partner_bp"]), band["up_to_halalas"]
        low = riyals_text(below)
        if up_to is None:
            yield Bilingual("للشريك {} مما زاد على {} ريال.", "The partner gets {} above SAR {}.").format(rate, low)
            return
        high = riyals_text(up_to)
        yield Bilingual("للشريك {} من {} إلى {} ريال.", "The partner gets {} from SAR {} to SAR {}.").format(
            rate, low, high
        )
        below = up_to


def _guarantee_in_words(guarantee: Data) -> Bilingual:
    rate = percent_text(guarantee["partner_floor_bp_of_expected"])
    after = Bilingual("ولا تُسترد التكملة", "top-ups are not recovered")
    if guarantee["recoverable"]:
        after = Bilingual(
            "وتُسترد التكملة من فائض الفترات اللاحقة", "top-ups are recovered from the surplus of later periods"
        )
    return Bilingual(
        "الضمان: للشريك في كل فترة {} من الإيراد المتوقع على الأقل، {}.",
        "Guarantee: the partner gets at least {} of the expected revenue of each period; {}.",
    ).format(rate, after)
