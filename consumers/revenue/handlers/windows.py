"""The window over which a contract's revenue is summed before the bands are applied (R6)."""

from __future__ import annotations

from typing import Final, cast

from events.values.calendar import CalendarName
from events.values.periods import contract_year

WHOLE_LIFE: Final = 0
"""The window number of a contract whose bands run over its whole life; contract years count from 1."""


def window_of(day: str, starts_on: str, calendar: str, tier_basis: str) -> int:
    """The window of revenue collected on `day`, which is not before `starts_on`."""
    if tier_basis == "lifetime":
        return WHOLE_LIFE
    return contract_year(starts_on, day, cast(CalendarName, calendar))
