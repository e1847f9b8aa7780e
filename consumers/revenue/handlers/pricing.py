"""The partner's share of a cumulative revenue (R7, R8), exact: whole numbers only, never a float.

Terms go in, a `PriceTable` comes out: F(C) is piecewise linear with rational pieces, so each piece is kept as
`floor((factor × C + offset) / divisor)`. Python's `//` rounds towards −∞, as R7 asks. A table depends on nothing but
bands and cap, and is built once for each distinct pair.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from events.values.money import BASIS_POINTS

_TABLES_KEPT: Final = 4_096

Bands = tuple[tuple[int | None, int], ...]
Cap = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """F(C) in pieces. `uppers[i]` is the last C (inclusive) of piece i; the last piece has none."""

    uppers: tuple[int, ...]
    factors: tuple[int, ...]
    offsets: tuple[int, ...]
    divisors: tuple[int, ...]

    def partner_halalas(self, cumulative_halalas: int) -> int:
        """floor F(C)."""
        piece = bisect_left(self.uppers, cumulative_halalas)
        return (self.factors[piece] * cumulative_halalas + self.offsets[piece]) // self.divisors[piece]


def price_table(terms: Mapping[str, Any]) -> PriceTable:
    """The table of a contract version; equal bands and cap share one."""
    bands = tuple((band["up_to_halalas"], band["partner_bp"]) for band in terms["bands"])
    cap = terms["cap"]
    return _table(bands, None if cap is None else (cap["amount_halalas"], cap["partner_bp_after"]))


def share(table: PriceTable, before_halalas: int, after_halalas: int) -> tuple[int, int]:
    """The partner's and the treasury's share of moving the window's sum from `before` to `after` (R8).

    Both are negative or zero if the sum falls; together they equal the amount, to the halala.
    """
    partner = table.partner_halalas(after_halalas) - table.partner_halalas(before_halalas)
    return partner, after_halalas - before_halalas - partner


@lru_cache(maxsize=_TABLES_KEPT)
def _table(bands: Bands, cap: Cap) -> PriceTable:
    """Pieces in ascending order: below zero, each band up to the cap, beyond the cap."""
    uppers: list[int] = [0]
    pieces: list[tuple[int, int, int]] = [(bands[0][1], 0, BASIS_POINTS)]
    if cap is not None and cap[0] == 0:
        return _frozen(uppers, [*pieces, (cap[1], 0, BASIS_POINTS)])
    below, share_bp = 0, 0  # the band's lower end, and G there in 1/10,000 halala
    for up_to, rate in bands:
        missing = None if cap is None else cap[0] * BASIS_POINTS - share_bp
        pieces.append((rate, share_bp - below * rate, BASIS_POINTS))
        if missing is not None and rate and (up_to is None or (up_to - below) * rate >= missing):
            assert cap is not None
            # C* = below + missing / rate; F = A + (C − C*) × after / 10,000, brought to one denominator.
            uppers.append(below + missing // rate)
            pieces.append(
                (rate * cap[1], cap[0] * BASIS_POINTS * rate - (below * rate + missing) * cap[1], BASIS_POINTS * rate)
            )
            break
        if up_to is not None:
            uppers.append(up_to)
            share_bp += (up_to - below) * rate
            below = up_to
    return _frozen(uppers, pieces)


def _frozen(uppers: list[int], pieces: list[tuple[int, int, int]]) -> PriceTable:
    factors, offsets, divisors = zip(*pieces, strict=True)
    return PriceTable(tuple(uppers), factors, offsets, divisors)
