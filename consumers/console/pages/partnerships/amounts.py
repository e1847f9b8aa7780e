"""Amounts of a statement's working as a page shows them: whole halalas, and exact fractions of one."""

from __future__ import annotations

from fractions import Fraction

from markupsafe import Markup

from consumers.console.web.language import Words
from consumers.documents.ledger.statements import Guarantee
from consumers.revenue.statements.words import exact_riyals, percent_text
from events.values.money import riyals_text


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
