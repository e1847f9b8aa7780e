"""Money is a whole number of halalas: 1 riyal = 100 halalas (ISO 4217 SAR, exponent 2).

Shares are exact: rates are basis points (1/10,000), and every rounding is one floor towards minus infinity. Amounts
are never a `float`.
"""

from __future__ import annotations

from typing import Final, NewType

Halalas = NewType("Halalas", int)
"""An amount in halalas; negative for money that is paid back."""

INTEGER_MAX: Final = 2**53 - 1
"""The greatest integer that every JSON reader keeps exactly; integers of events are within plus or minus this."""

BASIS_POINTS: Final = 10_000
"""Basis points in a whole."""

HALALAS_PER_RIYAL: Final = 100


def riyals_text(amount: int) -> str:
    """`1234567` → `12,345.67`, for display only."""
    riyals, halalas = divmod(abs(amount), HALALAS_PER_RIYAL)
    return f"{'-' if amount < 0 else ''}{riyals:,}.{halalas:02d}"
