"""The receipts and reversals of a statement by day and band, as a person adds them up with a pocket calculator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from consumers.revenue.statements.words import exact_halalas
from consumers.revenue.statements.working import Band, Posting, bands_of, trace


@dataclass(slots=True)
class DayBand:
    """What the postings of one day moved within one band of one version. A posting may move through several bands."""

    dated_on: str
    contract_version: int
    band: Band
    postings_count: int = 0
    amount_halalas: Fraction = Fraction(0)
    share_halalas: Fraction = Fraction(0)

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


def statement_days(versions: Sequence[Mapping[str, Any]], postings: Sequence[Posting]) -> list[DayBand]:
    """In the order of days, versions and bands. The shares are exact: the statement rounds their cumulative sum."""
    bands = {version["version"]: bands_of(version["terms"]) for version in versions}
    found: dict[tuple[str, int, int], DayBand] = {}
    for posting in postings:
        own = bands[posting.contract_version]
        for line in trace(own, posting):
            key = posting.dated_on, posting.contract_version, own.index(line.band)
            row = found.setdefault(key, DayBand(posting.dated_on, posting.contract_version, line.band))
            row.postings_count += 1
            row.amount_halalas += line.amount_halalas
            row.share_halalas += line.share_halalas
    return [found[key] for key in sorted(found)]
