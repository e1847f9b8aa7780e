"""R7: what a cumulative sum is worth to the partner, as an exact fraction of a halala."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from tests.oracle.log import JsonObject

ALL = 10_000


def uncapped_share(bands: list[JsonObject], cumulative: Fraction) -> Fraction:
    """G(C): the share band by band, for C ≥ 0."""
    share, below = Fraction(0), Fraction(0)
    for band in bands:
        top = cumulative if band["up_to_halalas"] is None else min(cumulative, Fraction(band["up_to_halalas"]))
        if top > below:
            share += (top - below) * band["partner_bp"] / ALL
            below = top
    return share


def cap_point(bands: list[JsonObject], amount: int) -> Fraction | None:
    """C*: the smallest C ≥ 0 with G(C) = amount, or None if G never gets there."""
    if amount == 0:
        return Fraction(0)
    share, below = Fraction(0), Fraction(0)
    for band in bands:
        rate = Fraction(band["partner_bp"], ALL)
        missing = amount - share
        top = band["up_to_halalas"]
        if rate > 0 and (top is None or (top - below) * rate >= missing):
            return below + missing / rate
        if top is not None:
            share += (top - below) * rate
            below = Fraction(top)
    return None


def share(terms: JsonObject, cumulative: int) -> Fraction:
    """F(C) under these terms."""
    bands, cap, total = terms["bands"], terms["cap"], Fraction(cumulative)
    if total < 0:
        return total * Fraction(bands[0]["partner_bp"], ALL)
    if cap is not None:
        point = cap_point(bands, cap["amount_halalas"])
        if point is not None and total > point:
            return Fraction(cap["amount_halalas"]) + (total - point) * Fraction(cap["partner_bp_after"], ALL)
    return uncapped_share(bands, total)


def floored_share(terms: JsonObject, cumulative: int) -> int:
    """floor F(C), towards −∞."""
    return floor(share(terms, cumulative))
