"""The part of the state that a caller may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class AccessScope:
    """An agency's part (what it sent and owns), a private partner's (its partnerships) or, with neither, everything.

    `partners` are AGENCY/PARTNER_ID: the partnerships that this agency owns with the partner that it calls PARTNER_ID.
    `only_money`: of everything, what is about partnerships.
    """

    agency: str | None = None
    partners: tuple[str, ...] | None = None
    only_money: bool = False


EVERYTHING: Final = AccessScope()
ALL_MONEY: Final = AccessScope(only_money=True)
