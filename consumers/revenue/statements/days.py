"""The receipts and reversals of a statement by day and band, as a person adds them up with a pocket calculator."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import asdict

from consumers.documents.ledger.partnerships import TermsVersion
from consumers.documents.ledger.statements import DayShare
from consumers.revenue.statements.working import Posting, bands_of


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
