"""How the Saudi riyal is written beside an amount."""

from __future__ import annotations

from typing import Final

RIYAL_NAMES: Final = frozenset({"SAR", "SR", "ر.س", "ر.س.", "ريال", "ريال سعودي", "الريال السعودي", "﷼", "\u20c1"})
"""Names and signs, the sign of 2025 among them."""


def is_riyal(currency: str) -> bool:
    """Whether it is one of these names."""
    return " ".join(currency.split()) in RIYAL_NAMES
