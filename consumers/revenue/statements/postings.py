"""Every receipt and reversal of a statement with its arithmetic, a row for each band that it moved through.

Amounts are whole halalas, shares exact fractions of a halala; a row's posting is in the columns before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from consumers.documents.ledger.partnerships import TermsVersion
from consumers.documents.ledger.statements import exact_halalas
from consumers.revenue.statements.working import Posting, bands_of, trace
from infra.command_line.table_files import Columns

_TEXTS: Final = frozenset({"id", "dated_on", "service_id", "band", "band_amount_halalas", "band_share_halalas"})
_NAMES: Final = (
    "index", "id", "dated_on", "service_id", "contract_version", "window", "amount_halalas",
    "cumulative_before_halalas", "cumulative_after_halalas", "partner_halalas", "treasury_halalas",
    "band", "band_amount_halalas", "band_rate_bp", "band_share_halalas",
)  # fmt: skip
COLUMNS: Final[Columns] = {name: "VARCHAR" if name in _TEXTS else "BIGINT" for name in _NAMES}
"""Fractions of a halala are texts such as `79/20`."""


def posting_rows(versions: Sequence[TermsVersion], postings: Sequence[Posting]) -> Iterator[tuple[Any, ...]]:
    """Rows of `COLUMNS`, in log order."""
    bands = {version.version: bands_of(version.terms) for version in versions}
    for posting in postings:
        own = (
            posting.index,
            posting.id,
            posting.dated_on,
            posting.service_id,
            posting.contract_version,
            posting.window_number,
            posting.amount_halalas,
            posting.before_halalas,
            posting.after_halalas,
            posting.partner_halalas,
            posting.treasury_halalas,
        )
        for band, amount in trace(bands[posting.contract_version], posting):
            yield (*own, band.kind, exact_halalas(amount), band.rate_bp, exact_halalas(band.share(amount)))
