"""What the pages show of a partnership: a row of the list, and its amounts."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from markupsafe import Markup
from msgspec.structs import asdict

from consumers.api.resources.partnerships import partnership_for
from consumers.console.visit import Visit
from consumers.console.web.language import Words
from consumers.documents.document import document_of
from consumers.documents.ledger.partnerships import ListedPartnership, Partnership, PartnershipAndTerms
from consumers.documents.ledger.periods import OpenPeriod
from consumers.documents.ledger.statements import Guarantee
from consumers.revenue.statements.words import exact_riyals, percent_text
from events.values.money import riyals_text


def listed(partnerships: Iterable[Partnership], open_periods: Iterable[OpenPeriod]) -> list[ListedPartnership]:
    """Each partnership with its open period."""
    by_id = {row.partnership_id: {**asdict(row), "open_period": row.period} for row in open_periods}
    nothing = {"open_period": None, "expected_halalas": 0, "net_halalas": 0}
    return [
        document_of(
            ListedPartnership,
            {**asdict(own), **by_id.get(own.partnership_id, nothing)},
            partner_id=own.partner.partner_id,
            partner_name=own.partner.name,
        )
        for own in partnerships
    ]


async def partnership_of(visit: Visit, partnership_id: str) -> PartnershipAndTerms:
    return (await partnership_for(visit.reader, partnership_id)).document


def exact_money(words: Words, halalas: int | str) -> Markup:
    """Riyals with every digit that is needed; `halalas` is whole, or a fraction as text such as `79/20`."""
    amount = Fraction(halalas)
    if amount.denominator == 1:
        return words.money(amount.numerator)
    text = Markup('<bdi dir="ltr">{}</bdi>').format(words.say("", "SAR ") + exact_riyals(amount))
    return Markup('<span class="money">{}{}</span>').format(text, words.say(" ر.س", ""))


def left_to_right(text: str) -> Markup:
    """A formula: its signs and figures keep their order as a whole."""
    return Markup('<bdi dir="ltr" class="formula">{}</bdi>').format(text)


def guarantee_formula(guarantee: Guarantee | None) -> Markup:
    """Rate × expected = guaranteed, in riyals."""
    if guarantee is None:
        return Markup("")
    rate = percent_text(guarantee.partner_floor_bp_of_expected)
    expected, guaranteed = riyals_text(guarantee.expected_halalas), riyals_text(guarantee.guarantee_halalas)
    return left_to_right(f"{rate} × {expected} = {guaranteed}")
