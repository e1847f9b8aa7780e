"""The rule of the revenue share by which a kind of transfer is posted, named as in `docs/events.md`.

Not in the chart of accounts: no fold reads it, so that it changes no stored row.
"""

from __future__ import annotations

from typing import Final

RULE_OF_KIND: Final = {
    "receipt-partner": "R8",
    "receipt-treasury": "R8",
    "reversal-partner": "R9",
    "reversal-treasury": "R9",
    "top-up": "R12",
    "recovery": "R12",
    "payout": "R13",
}
