"""The arithmetic behind a statement, so that a person with a pocket calculator comes to the same halala.

In: the statement, the contract's versions, and the period's postings with the cumulative sums before them.
Out: for each band the amount, the rate and the exact share; the rounding of the cumulative rule (R8); the guarantee
(R12). Everything is exact: fractions of a halala are `Fraction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from consumers.revenue.handlers.pricing import PriceTable, price_table
from events.errors import Halt
from events.values.money import BASIS_POINTS

Exact = int | Fraction
"""Halalas. Only the sum at which a cap is reached, and what is counted from there, can be a fraction."""


class WrongStatement(Halt):
    """Suspect a change of the ledger's tables: compare them with a rebuild (`yesser rebuild --compare`)."""


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the cumulative revenue with one rate. `above` and `up_to` are halalas (None: without a bound).

    `kind`: `below-zero` for a negative sum, `band`, or `beyond-cap`.
    """

    kind: str
    above: Exact | None
    up_to: Exact | None
    rate_bp: int

    def part(self, before: int, after: int) -> Exact:
        """How much of the move from `before` to `after` lies in this band, with its sign."""
        low: Exact = min(before, after)
        high: Exact = max(before, after)
        if self.above is not None and self.above > low:
            low = self.above
        if self.up_to is not None and self.up_to < high:
            high = self.up_to
        if high <= low:
            return 0
        return high - low if after >= before else low - high

    def share(self, amount_halalas: Exact) -> Fraction:
        """The partner's share of an amount in this band."""
        return Fraction(amount_halalas * self.rate_bp, BASIS_POINTS)


@dataclass(slots=True)  # not frozen: a statement may have a million, and a frozen one takes three times as long to make
class Posting:
    """A receipt or a reversal (negative) as posted; `before_halalas` is the window's sum just before it."""

    index: int
    id: str
    dated_on: str
    service_id: str
    amount_halalas: int
    contract_version: int
    window_number: int
    before_halalas: int
    partner_halalas: int
    treasury_halalas: int

    @property
    def after_halalas(self) -> int:
        return self.before_halalas + self.amount_halalas


@dataclass(frozen=True, slots=True)
class BandLine:
    """Amount × rate = share, of one band."""

    band: Band
    amount_halalas: Exact
    share_halalas: Fraction


@dataclass(frozen=True, slots=True)
class PricedGroup:
    """The postings of a period under one version and in one window.

    `runs` are the cumulative sums before and after each run of postings without another period's between them. Only the
    ends of a run are rounded (R8), so `rounding_halalas` is less than one halala for each. `run_shares` are the shares
    of these sums, rounded.
    """

    contract_version: int
    window_number: int
    postings_count: int
    runs: tuple[tuple[int, int], ...]
    run_shares: tuple[tuple[int, int], ...]
    lines: tuple[BandLine, ...]
    exact_halalas: Fraction
    partner_halalas: int

    @property
    def rounding_halalas(self) -> Fraction:
        return self.partner_halalas - self.exact_halalas


@dataclass(frozen=True, slots=True)
class Guarantee:
    """R12: floor(rate × expected) = guaranteed; what the base lacks is topped up, what it exceeds recovers top-ups."""

    rate_bp: int
    recoverable: bool
    expected_halalas: int
    guaranteed_halalas: int
    outstanding_before_halalas: int


@dataclass(frozen=True, slots=True)
class Working:
    """The statement's figures (`events.md` §5) with their derivation."""

    statement: Mapping[str, Any]
    groups: tuple[PricedGroup, ...]
    guarantee: Guarantee | None


def bands_of(terms: Mapping[str, Any]) -> list[Band]:
    """The bands of a version from below zero upwards, cut where the cap is reached (R7)."""
    first_bp = terms["bands"][0]["partner_bp"]
    found = [Band("below-zero", None, 0, first_bp)]
    cap = terms["cap"]
    left = None if cap is None else Fraction(cap["amount_halalas"])
    above: Exact = 0
    for band in terms["bands"]:
        rate, up_to = band["partner_bp"], band["up_to_halalas"]
        if left is not None and left <= 0:
            break
        if left is not None and rate and (up_to is None or (up_to - above) * rate >= left * BASIS_POINTS):
            reached = above + left * BASIS_POINTS / rate
            found.append(Band("band", above, reached, rate))
            above, left = reached, Fraction(0)
            break
        found.append(Band("band", above, up_to, rate))
        if up_to is None:
            return found
        if left is not None:
            left -= Fraction((up_to - above) * rate, BASIS_POINTS)
        above = up_to
    assert cap is not None, "the last band has no bound"
    return [*found, Band("beyond-cap", above, None, cap["partner_bp_after"])]


def working_of(
    statement: Mapping[str, Any],
    versions: Sequence[Mapping[str, Any]],
    postings: Iterable[Posting],
    outstanding_before_halalas: int,
) -> Working:
    """The working of a statement. `postings` are those of its period, in log order.

    Raises `WrongStatement` where they do not give the statement's figures.
    """
    groups = tuple(_groups(versions, postings))
    base = sum(group.partner_halalas for group in groups)
    if base != statement["partner_base_halalas"]:
        raise WrongStatement(
            f"the postings of {statement['partnership_id']} {statement['period']} give a share of {base} halalas, the "
            f"statement says {statement['partner_base_halalas']}. {WrongStatement.__doc__}"
        )
    terms = versions[statement["contract_version"]]["terms"]["guarantee"]
    guarantee = None
    if terms is not None:
        guarantee = Guarantee(
            terms["partner_floor_bp_of_expected"],
            terms["recoverable"],
            statement["expected_halalas"],
            statement["guarantee_halalas"],
            outstanding_before_halalas,
        )
    return Working(statement, groups, guarantee)


def trace(bands: Sequence[Band], posting: Posting) -> list[BandLine]:
    """The bands that one posting moved through."""
    lines = []
    for band in bands:
        amount = band.part(posting.before_halalas, posting.after_halalas)
        if amount:
            lines.append(BandLine(band, amount, band.share(amount)))
    return lines


def _groups(versions: Sequence[Mapping[str, Any]], postings: Iterable[Posting]) -> Iterable[PricedGroup]:
    """One group for each version and window, in the order of their first postings."""
    by_price: dict[tuple[int, int], list[Posting]] = {}
    for posting in postings:
        by_price.setdefault((posting.contract_version, posting.window_number), []).append(posting)
    for (version, window), own in by_price.items():
        terms = versions[version]["terms"]
        table = price_table(terms)
        _require_priced(table, own)
        runs = _runs(own)
        run_shares = tuple((table.partner_halalas(before), table.partner_halalas(after)) for before, after in runs)
        lines = []
        for band in bands_of(terms):
            # Parts add up: those of a run are the part between its ends.
            amount = sum(band.part(before, after) for before, after in runs)
            if amount:
                lines.append(BandLine(band, amount, band.share(amount)))
        exact = sum((line.share_halalas for line in lines), Fraction(0))
        partner = sum(posting.partner_halalas for posting in own)
        yield PricedGroup(version, window, len(own), runs, run_shares, tuple(lines), exact, partner)


def _require_priced(table: PriceTable, postings: Sequence[Posting]) -> None:
    sum_, share_of_sum = 0, table.partner_halalas(0)
    for posting in postings:
        if posting.before_halalas != sum_:
            share_of_sum = table.partner_halalas(posting.before_halalas)
        sum_ = posting.before_halalas + posting.amount_halalas
        before, share_of_sum = share_of_sum, table.partner_halalas(sum_)
        partner = share_of_sum - before
        if partner != posting.partner_halalas or partner + posting.treasury_halalas != posting.amount_halalas:
            raise WrongStatement(f"entry {posting.index} was posted with another share. {WrongStatement.__doc__}")


def _runs(postings: Sequence[Posting]) -> tuple[tuple[int, int], ...]:
    """The cumulative sums before and after each run of adjacent postings."""
    runs: list[tuple[int, int]] = []
    for posting in postings:
        if runs and runs[-1][1] == posting.before_halalas:
            runs[-1] = runs[-1][0], posting.after_halalas
        else:
            runs.append((posting.before_halalas, posting.after_halalas))
    return tuple(runs)
