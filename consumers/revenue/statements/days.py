"""The receipts and reversals of a statement by day and band, as a person adds them up with a pocket calculator."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from consumers.revenue.statements.words import exact_halalas
from consumers.revenue.statements.working import Band, Exact, Posting, bands_of


@dataclass(frozen=True, slots=True)
class DayBand:
    """What the postings of one day moved within one band of one version. A posting may move through several bands."""

    dated_on: str
    contract_version: int
    band: Band
    postings_count: int
    amount_halalas: Exact
    share_halalas: Fraction

    def document(self) -> dict[str, Any]:
        """As JSON. Fractions of a halala are texts such as `"79/20"`."""
        above, up_to = self.band.above, self.band.up_to
        return {
            "dated_on": self.dated_on,
            "contract_version": self.contract_version,
            "kind": self.band.kind,
            "above_halalas": None if above is None else exact_halalas(above),
            "up_to_halalas": None if up_to is None else exact_halalas(up_to),
            "postings": self.postings_count,
            "amount_halalas": exact_halalas(self.amount_halalas),
            "rate_bp": self.band.rate_bp,
            "share_halalas": exact_halalas(self.share_halalas),
        }


def statement_days(versions: Sequence[Mapping[str, Any]], postings: Iterable[Posting]) -> list[DayBand]:
    """In the order of days, versions and bands. The shares are exact: the statement rounds their cumulative sum."""
    bands = {version["version"]: bands_of(version["terms"]) for version in versions}
    bounds = {number: [band.up_to or 0 for band in own[:-1]] for number, own in bands.items()}
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
        DayBand(on, version, band := bands[version][at], count, amount, band.share(amount))
        for (on, version, at), (count, amount) in sorted(found.items())
    ]
