"""The arithmetic behind a statement, so that a person with a pocket calculator comes to the same halala.

In: the statement, the contract's versions, and the period's postings with the cumulative sums before them.
Out: for each band the amount, the rate and the exact share; the rounding of the cumulative rule (R8); the guarantee
(R12). Everything is exact: fractions of a halala are `Fraction`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from msgspec.structs import asdict

from consumers.documents.ledger import statements
from consumers.documents.ledger.partnerships import PartnershipAndTerms, TermsVersion
from consumers.documents.ledger.statements import DayShare
from consumers.documents.names import Names
from consumers.revenue.handlers.pricing import PriceTable, price_table
from events.errors import Halt
from events.values.data import Data
from events.values.money import BASIS_POINTS

Exact = int | Fraction
"""Halalas. Only the sum at which a cap is reached, and what is counted from there, can be a fraction."""


class WrongStatement(Halt):
    """Suspect a change of the ledger's tables: compare them with a rebuild (`yesser rebuild --compare`)."""


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the cumulative revenue with one rate. A bound that is None: without one.

    `kind`: `below-zero` for a negative sum, `band`, or `beyond-cap`.
    """

    kind: statements.BandKind
    above_halalas: Exact | None
    up_to_halalas: Exact | None
    rate_bp: int

    def part(self, before: int, after: int) -> Exact:
        """How much of the move from `before` to `after` lies in this band, with its sign."""
        low: Exact = min(before, after)
        high: Exact = max(before, after)
        if self.above_halalas is not None and self.above_halalas > low:
            low = self.above_halalas
        if self.up_to_halalas is not None and self.up_to_halalas < high:
            high = self.up_to_halalas
        if high <= low:
            return 0
        return high - low if after >= before else low - high

    def share(self, amount_halalas: Exact) -> Fraction:
        """The partner's share of an amount in this band."""
        return Fraction(amount_halalas * self.rate_bp, BASIS_POINTS)

    def priced(self, amount_halalas: Exact) -> statements.BandShare:
        """An amount in this band, with its share."""
        return statements.BandShare(
            kind=self.kind,
            above_halalas=None if self.above_halalas is None else statements.exact_halalas(self.above_halalas),
            up_to_halalas=None if self.up_to_halalas is None else statements.exact_halalas(self.up_to_halalas),
            amount_halalas=statements.exact_halalas(amount_halalas),
            rate_bp=self.rate_bp,
            share_halalas=statements.exact_halalas(self.share(amount_halalas)),
        )


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
class PricedGroup:
    """The postings of a period under one version and in one window.

    Only the ends of a run of postings are rounded (R8), so the rounding is less than one halala for each. `run_shares`
    are the shares of the cumulative sums, rounded.
    """

    share: statements.Share
    run_shares: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Working:
    """The statement's figures with their derivation."""

    statement: statements.Statement
    groups: tuple[PricedGroup, ...]
    guarantee: statements.Guarantee | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """The checkpoint that a statement is proven under, and where its proofs are."""

    checkpoint: statements.Checkpoint
    link: str


@dataclass(frozen=True, slots=True)
class StatementParts:
    """A closed period with everything that its figures follow from.

    `payouts` are those of the partnership (R13). `provenance` is None until a signed checkpoint covers the closing.
    """

    partnership: PartnershipAndTerms
    working: Working
    postings: Sequence[Posting]
    payouts: Sequence[statements.Payout] = ()
    provenance: Provenance | None = None
    names: Names = field(default_factory=dict)
    """Of the agency and the services."""

    def document(self) -> statements.StatementWorking:
        return statements.StatementWorking(
            statement=self.working.statement,
            shares=tuple(group.share for group in self.working.groups),
            guarantee=self.working.guarantee,
            payouts=tuple(self.payouts),
            payable_halalas=self.partnership.payable_halalas,
            checkpoint=None if self.provenance is None else self.provenance.checkpoint,
        )


def bands_of(terms: Data) -> list[Band]:
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
    statement: statements.Statement,
    versions: Sequence[TermsVersion],
    postings: Iterable[Posting],
    outstanding_before_halalas: int,
) -> Working:
    """The working of a statement. `postings` are those of its period, in log order.

    Raises `WrongStatement` where they do not give the statement's figures.
    """
    groups = tuple(_groups(versions, postings))
    base = sum(group.share.partner_halalas for group in groups)
    if base != statement.partner_base_halalas:
        raise WrongStatement(
            f"the postings of {statement.partnership_id} {statement.period} give a share of {base} halalas, the "
            f"statement says {statement.partner_base_halalas}. {WrongStatement.__doc__}"
        )
    terms = versions[statement.contract_version].terms["guarantee"]
    guarantee = None
    if terms is not None:
        guarantee = statements.Guarantee(
            **terms,
            expected_halalas=statement.expected_halalas,
            guarantee_halalas=statement.guarantee_halalas,
            top_up_outstanding_before_halalas=outstanding_before_halalas,
        )
    return Working(statement, groups, guarantee)


def _groups(versions: Sequence[TermsVersion], postings: Iterable[Posting]) -> Iterable[PricedGroup]:
    """One group for each version and window, in the order of their first postings."""
    by_price: dict[tuple[int, int], list[Posting]] = {}
    for posting in postings:
        by_price.setdefault((posting.contract_version, posting.window_number), []).append(posting)
    for (version, window), own in by_price.items():
        terms = versions[version].terms
        table = price_table(terms)
        _require_priced(table, own)
        runs = _runs(own)
        run_shares = tuple((table.partner_halalas(before), table.partner_halalas(after)) for before, after in runs)
        # Parts add up: those of a run are the part between its ends.
        amounts = [(band, sum(band.part(before, after) for before, after in runs)) for band in bands_of(terms)]
        exact = sum((band.share(amount) for band, amount in amounts), Fraction(0))
        partner = sum(posting.partner_halalas for posting in own)
        share = statements.Share(
            contract_version=version,
            window=window,
            postings=len(own),
            cumulative_halalas=runs,
            bands=tuple(band.priced(amount) for band, amount in amounts if amount),
            exact_halalas=statements.exact_halalas(exact),
            rounding_halalas=statements.exact_halalas(partner - exact),
            partner_halalas=partner,
        )
        yield PricedGroup(share, run_shares)


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


def statement_days(versions: Sequence[TermsVersion], postings: Iterable[Posting]) -> list[DayShare]:
    """In the order of days, versions and bands; a posting may move through several bands.

    The shares are exact: the statement rounds their cumulative sum.
    """
    bands = {version.version: bands_of(version.terms) for version in versions}
    bounds = {number: [band.up_to_halalas or 0 for band in own[:-1]] for number, own in bands.items()}
    found: dict[tuple[str, int, int], list[Any]] = defaultdict(lambda: [0, 0])
    for posting in postings:
        version, amount = posting.contract_version, posting.amount_halalas
        before, own = posting.before_halalas, bounds[version]
        after = before + amount
        low, high = (before, after) if amount > 0 else (after, before)
        first, last = bisect_right(own, low), bisect_left(own, high)
        if first == last:  # nearly all of a million postings
            row = found[posting.dated_on, version, first]
            row[0] += 1
            row[1] += amount
            continue
        for at in range(first, last + 1):
            if part := bands[version][at].part(before, after):
                row = found[posting.dated_on, version, at]
                row[0] += 1
                row[1] += part
    return [
        DayShare(dated_on=on, contract_version=version, postings=count, **asdict(bands[version][at].priced(amount)))
        for (on, version, at), (count, amount) in sorted(found.items())
    ]
