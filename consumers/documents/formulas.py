"""How a figure follows from others: its words, its numbers and its result come from one expression.

A formula is a small expression over named amounts. Where the amounts come from is the business of who evaluates it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import add, sub
from typing import Any, Final, Protocol

from consumers.documents.log.explanations import DerivedFigure, Formula
from events.values.bilingual import Bilingual
from events.values.money import BASIS_POINTS, riyals_text


@dataclass(frozen=True, slots=True)
class Sign:
    """What is done with two amounts, in words, with numbers (None: only the result is shown), and as a calculation."""

    words: Bilingual
    numbers: str | None
    calculate: Callable[[Any, Any], Any]


class Named(Protocol):
    """An amount. The end of its name tells money (`…_halalas`) and rates (`…_bp`) from other numbers."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> Bilingual: ...


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount that is known by its name alone."""

    name: str
    label: Bilingual


@dataclass(frozen=True, slots=True)
class Nothing:
    """Zero, with the reason."""

    reason: Bilingual


@dataclass(frozen=True, slots=True)
class Both:
    """Two expressions, and what is done with them."""

    sign: Sign
    left: Expression
    right: Expression


Expression = Named | Nothing | Both
ValueOf = Callable[[Any], Any]
"""The value of a named amount."""

PLUS: Final = Sign(Bilingual("{} + {}", "{} + {}"), "{} + {}", add)
MINUS: Final = Sign(Bilingual("{} − {}", "{} − {}"), "{} − {}", sub)
GREATER: Final = Sign(Bilingual("الأكبر من ({}) و({})", "the greater of ({}) and ({})"), "max({}, {})", max)
LESSER: Final = Sign(Bilingual("الأقل من ({}) و({})", "the lesser of ({}) and ({})"), "min({}, {})", min)
RATE: Final = Sign(
    Bilingual("{} × {}، مقرّبًا إلى الهللة الأدنى", "{} × {}, rounded down to the halala"),
    "{} × {}",
    lambda rate_bp, amount: rate_bp * amount // BASIS_POINTS,
)
"""`left` in basis points of `right`."""
AND: Final = Sign(Bilingual("{}، و{}", "{}, and {}"), None, lambda left, right: bool(left and right))


def result(formula: Expression, value_of: ValueOf) -> Any:
    """The value."""
    if isinstance(formula, Both):
        return formula.sign.calculate(result(formula.left, value_of), result(formula.right, value_of))
    return 0 if isinstance(formula, Nothing) else value_of(formula)


def in_words(formula: Expression) -> Bilingual:
    """The formula with the names of its amounts."""
    if isinstance(formula, Both):
        left, right, words = in_words(formula.left), in_words(formula.right), formula.sign.words
        return Bilingual(words.ar.format(left.ar, right.ar), words.en.format(left.en, right.en))
    return formula.reason if isinstance(formula, Nothing) else formula.label


def in_numbers(formula: Expression, value_of: ValueOf) -> str:
    """The formula with its numbers, amounts in riyals: `max(0.00, 700.00 − 650.00)`."""
    if isinstance(formula, Nothing):
        return riyals_text(0)
    if not isinstance(formula, Both) or formula.sign.numbers is None:
        return amount_text(leaves(formula)[0].name, result(formula, value_of))
    left, right = in_numbers(formula.left, value_of), in_numbers(formula.right, value_of)
    if formula.sign in (PLUS, MINUS) and right.startswith("-"):
        right = f"({right})"
    return formula.sign.numbers.format(left, right)


def leaves(formula: Expression) -> list[Any]:
    """The named amounts of a formula, from left to right."""
    if isinstance(formula, Both):
        return [*leaves(formula.left), *leaves(formula.right)]
    return [] if isinstance(formula, Nothing) else [formula]


def substituted(formula: Expression, of: Callable[[Any], Expression]) -> Expression:
    """The formula with what `of` gives in the place of each named amount."""
    if isinstance(formula, Both):
        return Both(formula.sign, substituted(formula.left, of), substituted(formula.right, of))
    return formula if isinstance(formula, Nothing) else of(formula)


def amounts_in(formula: Expression) -> dict[str, Expression]:
    """What the numbers of a formula are of, by name: what is said in words alone is one amount."""
    if isinstance(formula, Both) and formula.sign.numbers is not None:
        return amounts_in(formula.left) | amounts_in(formula.right)
    return {leaf.name: formula for leaf in leaves(formula)[:1]}


def derived(name: str, formula: Expression, value_of: ValueOf) -> DerivedFigure:
    """A figure with its formula and the amounts in it."""
    words = in_words(formula)
    return DerivedFigure(
        field=name,
        value=result(formula, value_of),
        formula=Formula(ar=words.ar, en=words.en, numbers=in_numbers(formula, value_of)),
        amounts={own: result(amount, value_of) for own, amount in amounts_in(formula).items()},
    )


def amount_text(name: str, value: Any) -> str:
    """An amount as people read it: riyals, per cent, or a number."""
    if value is None:
        return "—"
    if name.endswith("_bp"):
        return percent_text(value)
    return riyals_text(value) if name.endswith("_halalas") else str(value)


def percent_text(rate_bp: int) -> str:
    """`7050` → `70.5%`."""
    whole, part = divmod(rate_bp, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"
