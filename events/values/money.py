"""Money is a whole number of halalas: 1 riyal = 100 halalas (ISO 4217 SAR, exponent 2).

Shares are exact: rates are basis points (1/10,000), and every rounding is one floor towards minus infinity. Amounts
are never a `float`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NewType

Halalas = NewType("Halalas", int)
"""An amount in halalas; negative for money that is paid back."""

INTEGER_MAX: Final = 2**53 - 1
"""The greatest integer that every JSON reader keeps exactly; integers of events are within plus or minus this."""

BASIS_POINTS: Final = 10_000
"""Basis points in a whole."""

HALALAS_PER_RIYAL: Final = 100


def floor_of(exact: Fraction) -> Halalas:
    """The greatest whole number of halalas not above `exact`: −10.5 becomes −11."""
    return Halalas(exact.numerator // exact.denominator)


def floor_share(amount: int, basis_points: int) -> Halalas:
    """`floor(amount × basis_points / 10000)`, towards minus infinity."""
    return Halalas(amount * basis_points // BASIS_POINTS)


def exact_share(amount: int | Fraction, basis_points: int) -> Fraction:
    """`amount × basis_points / 10000` as an exact rational, to be floored once at the end."""
    return Fraction(amount) * basis_points / BASIS_POINTS


def riyals_text(amount: int) -> str:
    """`1234567` → `12,345.67`, for display only."""
    riyals, halalas = divmod(abs(amount), HALALAS_PER_RIYAL)
    return f"{'-' if amount < 0 else ''}{riyals:,}.{halalas:02d}"
