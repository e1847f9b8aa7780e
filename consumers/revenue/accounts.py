"""The kinds of accounts, and what each kind of transfer debits and credits (R14), as data.

Every partnership p has the same five accounts, `collections:p` and so on. A transfer is one record with both sides, so
an imbalance cannot be written. A balance is debits − credits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

COLLECTIONS: Final = "collections"
PARTNER_PAYABLE: Final = "partner-payable"
TREASURY_SHARE: Final = "treasury-share"
GUARANTEE_EXPENSE: Final = "guarantee-expense"
CASH: Final = "cash"

# kind of transfer → (debit, credit)
SIDES: Final[dict[str, tuple[str, str]]] = {
    "receipt-partner": (COLLECTIONS, PARTNER_PAYABLE),
    "receipt-treasury": (COLLECTIONS, TREASURY_SHARE),
    "reversal-partner": (PARTNER_PAYABLE, COLLECTIONS),
    "reversal-treasury": (TREASURY_SHARE, COLLECTIONS),
    "top-up": (GUARANTEE_EXPENSE, PARTNER_PAYABLE),
    "recovery": (PARTNER_PAYABLE, GUARANTEE_EXPENSE),
    "payout": (PARTNER_PAYABLE, CASH),
}

TRANSFERS: Final[dict[str, tuple[str, ...]]] = {
    "revenue.collected": ("receipt-partner", "receipt-treasury"),
    "revenue.reversed": ("reversal-partner", "reversal-treasury"),
    "revenue.period-closed": ("top-up", "recovery"),
    "revenue.paid-out": ("payout",),
}
"""Event type → the kinds of the transfers that it may cause."""


@lru_cache(maxsize=65_536)
def account_name(kind: str, partnership_id: str) -> str:
    """The partnership's account of this kind."""
    return f"{kind}:{partnership_id}"


@lru_cache(maxsize=256)
def kinds_of(types: frozenset[str]) -> frozenset[str]:
    """The kinds of the accounts that events of these types may change."""
    return frozenset(kind for name in types for transfer in TRANSFERS.get(name, ()) for kind in SIDES[transfer])
