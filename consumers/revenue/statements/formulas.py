"""The formula of each field of a statement (events.md §5), in words and with its numbers.

A formula is a small expression over named amounts, so that its words, its numbers and its result are one definition.
Some amounts are other fields of the statement; the others follow from postings, terms and earlier periods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add, sub
from typing import Any, Final

from consumers.documents.document import fields as statement_fields
from consumers.documents.ledger.statements import Statement
from consumers.revenue.statements.words import percent_text
from events.values.bilingual import Bilingual
from events.values.money import BASIS_POINTS, riyals_text


@dataclass(frozen=True, slots=True)
class Sign:
    """What is done with two amounts, in words, with numbers, and as a calculation."""

    words: Bilingual
    numbers: str
    calculate: Callable[[int, int], int]


_SIGNS: Final[Mapping[str, Sign]] = {
    "plus": Sign(Bilingual("{} + {}", "{} + {}"), "{} + {}", add),
    "minus": Sign(Bilingual("{} − {}", "{} − {}"), "{} − {}", sub),
    "greater": Sign(Bilingual("الأكبر من ({}) و({})", "the greater of ({}) and ({})"), "max({}, {})", max),
    "lesser": Sign(Bilingual("الأقل من ({}) و({})", "the lesser of ({}) and ({})"), "min({}, {})", min),
    "rate": Sign(
        Bilingual("{} × {}، مقرّبًا إلى الهللة الأدنى", "{} × {}, rounded down to the halala"),
        "{} × {}",
        lambda rate_bp, amount: rate_bp * amount // BASIS_POINTS,
    ),
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A named amount."""

    name: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Zero, with the reason."""

    reason: Bilingual


@dataclass(frozen=True, slots=True)
class Both:
    """Two expressions and one of `_SIGNS`. `rate`: `left` in basis points of `right`, rounded down."""

    sign: str
    left: Expression
    right: Expression


Expression = Amount | Nothing | Both
Amounts = Mapping[str, int | None]

_NAMES: Final[Mapping[str, Bilingual]] = {
    **{field.name: field.label for field in statement_fields(Statement)},
    "receipts_halalas": Bilingual("مجموع تحصيلات الفترة", "the sum of the period's receipts"),
    "reversals_halalas": Bilingual("مجموع المردود في الفترة", "the sum of the period's reversals"),
    "prior_postings_halalas": Bilingual(
        "التحصيلات ناقص المردود، مما هو مؤرخ في فترات مقفلة", "receipts less reversals that are dated in closed periods"
    ),
    "shares_halalas": Bilingual(
        "مجموع حصص الشريك من تحصيلات الفترة ومن المردود فيها",
        "the sum of the partner's shares of receipts and reversals",
    ),
    "closing_before_halalas": Bilingual(
        "الرصيد الختامي للفترة السابقة، وصفر أولًا", "the closing cumulative of the period before, zero at first"
    ),
    "outstanding_before_halalas": Bilingual("التكملة القائمة قبل الفترة", "the top-up outstanding before the period"),
    "floor_bp": Bilingual("النسبة المضمونة", "the guaranteed rate"),
    "agreed_halalas": Bilingual(
        "المتوقع للفترة في نسخة العقد السارية", "what the version in force expects of the period"
    ),
    "version_in_force": Bilingual(
        "آخر نسخة في السجل لا تبدأ بعد هذه الفترة", "the last version in the log that does not begin after this period"
    ),
    "first_posting": Bilingual("أول تحصيل أو مردود في الفترة", "the period's first receipt or reversal"),
    "last_posting": Bilingual("آخر تحصيل أو مردود في الفترة", "the period's last receipt or reversal"),
    "closing_entry": Bilingual("القيد الذي أقفل الفترة", "the entry that closed the period"),
}
_NO_GUARANTEE: Final = Nothing(Bilingual("لا ضمان في نسخة العقد السارية", "the version in force has no guarantee"))
_NOT_RECOVERED: Final = Nothing(
    Bilingual("لا تُسترد التكملة بنسخة العقد السارية", "top-ups are not recovered under the version in force")
)
_ZERO: Final = Nothing(Bilingual("صفر", "zero"))


def _amount(name: str) -> Amount:
    return Amount(f"{name}_halalas")


FORMULAS: Final[Mapping[str, Expression]] = {
    "contract_version": Amount("version_in_force"),
    "expected_halalas": _amount("agreed"),
    "opening_cumulative_halalas": _amount("closing_before"),
    "collected_halalas": _amount("receipts"),
    "reversed_halalas": _amount("reversals"),
    "net_halalas": Both("minus", _amount("collected"), _amount("reversed")),
    "prior_period_halalas": _amount("prior_postings"),
    "closing_cumulative_halalas": Both("plus", _amount("opening_cumulative"), _amount("net")),
    "partner_base_halalas": _amount("shares"),
    "guarantee_halalas": Both("rate", Amount("floor_bp"), _amount("expected")),
    "top_up_halalas": Both("greater", _ZERO, Both("minus", _amount("guarantee"), _amount("partner_base"))),
    "recovered_halalas": Both(
        "lesser",
        _amount("outstanding_before"),
        Both("greater", _ZERO, Both("minus", _amount("partner_base"), _amount("guarantee"))),
    ),
    "top_up_outstanding_halalas": Both(
        "minus", Both("plus", _amount("outstanding_before"), _amount("top_up")), _amount("recovered")
    ),
    "partner_total_halalas": Both(
        "minus", Both("plus", _amount("partner_base"), _amount("top_up")), _amount("recovered")
    ),
    "treasury_total_halalas": Both("minus", _amount("net"), _amount("partner_total")),
    "first_index": Amount("first_posting"),
    "last_index": Amount("last_posting"),
    "closing_index": Amount("closing_entry"),
}
"""Field of a statement → its formula under a guarantee whose top-ups are recovered."""
_GUARANTEED: Final = ("guarantee_halalas", "top_up_halalas", "recovered_halalas")


def formula_of(field: str, guarantee: Mapping[str, Any] | None) -> Expression:
    """The formula of a field under the guarantee in force (R12)."""
    if guarantee is None and field in _GUARANTEED:
        return _NO_GUARANTEE
    if guarantee is None or not guarantee["recoverable"]:
        if field == "recovered_halalas":
            return _NOT_RECOVERED
        if field == "top_up_outstanding_halalas":
            return _amount("outstanding_before")
    return FORMULAS[field]


def result(formula: Expression, amounts: Amounts) -> int | None:
    """The value. Raises `KeyError` for an amount that is not given."""
    if isinstance(formula, Amount):
        return amounts[formula.name]
    if isinstance(formula, Nothing):
        return 0
    left, right = result(formula.left, amounts), result(formula.right, amounts)
    assert left is not None
    assert right is not None
    return _SIGNS[formula.sign].calculate(left, right)


def in_words(formula: Expression) -> Bilingual:
    """The formula with the names of its amounts."""
    if isinstance(formula, Amount):
        return _NAMES[formula.name]
    if isinstance(formula, Nothing):
        return formula.reason
    left, right = in_words(formula.left), in_words(formula.right)
    words = _SIGNS[formula.sign].words
    return Bilingual(words.ar.format(left.ar, right.ar), words.en.format(left.en, right.en))


def in_numbers(formula: Expression, amounts: Amounts) -> str:
    """The formula with its numbers, amounts in riyals: `max(0.00, 700.00 − 650.00)`."""
    if isinstance(formula, Amount):
        return amount_text(formula.name, amounts[formula.name])
    if isinstance(formula, Nothing):
        return riyals_text(0)
    left, right = in_numbers(formula.left, amounts), in_numbers(formula.right, amounts)
    if formula.sign in ("plus", "minus") and right.startswith("-"):
        right = f"({right})"
    return _SIGNS[formula.sign].numbers.format(left, right)


def amount_text(name: str, value: int | None) -> str:
    """An amount as people read it: riyals, per cent, or a number."""
    if value is None:
        return "—"
    if name.endswith("_bp"):
        return percent_text(value)
    return riyals_text(value) if name.endswith("_halalas") else str(value)


def names_in(formula: Expression) -> Iterator[str]:
    """The amounts of a formula, from left to right."""
    if isinstance(formula, Amount):
        yield formula.name
    elif isinstance(formula, Both):
        yield from names_in(formula.left)
        yield from names_in(formula.right)


def label(name: str) -> Bilingual:
    """The name of an amount or a field."""
    return _NAMES[name]


def fields() -> Sequence[str]:
    """The fields that have a formula, in the order of a statement on paper."""
    return tuple(FORMULAS)
