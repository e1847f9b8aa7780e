"""A value of an event or a figure, as a reader sees it. Every text of an event is isolated, and a very long one cut."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Final

from markupsafe import Markup

from consumers.console.web.language import Words, code, isolated
from consumers.documents.document import NO, YES
from consumers.documents.formulas import amount_text
from consumers.documents.log.explanations import Change, DerivedFigure
from consumers.revenue.statements.words import exact_riyals
from infra.json_documents import to_json

TEXT_LENGTH_MAX: Final = 2_000
_DATE: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_NONE: Final = "—"


def shown(words: Words, name: str, value: Any, sign: str = "") -> Markup | str:
    """`name` tells money (`…_halalas`) and rates (`…_bp`) from other numbers."""
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return words.of(YES if value else NO)
    if isinstance(value, int):
        if name.endswith("_halalas"):
            return words.money(value, sign)
        return words.percent(value) if name.endswith("_bp") else words.number(value, sign)
    if isinstance(value, str):
        return _day(words, value) or text(words, value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return text(words, words.say("، ", ", ").join(value)) if value else _NONE
    return code(cut(words, to_json(value).decode()))


def change(words: Words, name: str, changed: Change) -> Markup | str:
    """By how much a number changed, with its sign; empty for what is no number or was set for the first time."""
    if changed.amount is None:
        return ""
    return shown(words, name, changed.amount, "" if changed.amount < 0 else "+")


def exact_money(words: Words, halalas: int | str) -> Markup:
    """Riyals with every digit that is needed; `halalas` is whole, or a fraction as text such as `79/20`."""
    amount = Fraction(halalas)
    if amount.denominator == 1:
        return words.money(amount.numerator)
    text = Markup('<bdi dir="ltr">{}</bdi>').format(words.say("", "SAR ") + exact_riyals(amount))
    return Markup('<span class="money">{}{}</span>').format(text, words.say(" ر.س", ""))


def formula_line(figure: DerivedFigure) -> Markup:
    """A formula with its numbers: its signs and figures keep their order as a whole."""
    text = f"{figure.formula.numbers} = {amount_text(figure.field, figure.value)}"
    return Markup('<bdi dir="ltr" class="formula">{}</bdi>').format(text)


def text(words: Words, value: str) -> Markup:
    """A text of unknown direction, cut where it is enormous."""
    return isolated(cut(words, value))


def cut(words: Words, value: str) -> str:
    if len(value) <= TEXT_LENGTH_MAX:
        return value
    more = words.say(" … (النص كامل في ملف الإثبات)", " … (the whole text is in the proof file)")
    return value[:TEXT_LENGTH_MAX] + more


def _day(words: Words, value: str) -> Markup | None:
    if _DATE.fullmatch(value) is None:
        return None
    try:
        return words.day(value)
    except ValueError:
        return None
