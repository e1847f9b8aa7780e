"""Halalas as people read them."""

from __future__ import annotations

from events.values.money import riyals_text
from tests.every import every


@every(("amount", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (1_234_567, "12,345.67"), (-100, "-1.00")])
def test_people_read_riyals(amount: int, text: str) -> None:
    assert riyals_text(amount) == text
