"""The part of the state that a caller may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class AccessScope:
    """An agency's part (what it sent and owns), a private partner's (its partnerships) or, with neither, everything.

    `partners` are AGENCY/PARTNER_ID: the partnerships that this agency owns with the partner that it calls PARTNER_ID.
    """

    agency: str | None = None
    partners: tuple[str, ...] | None = None


EVERYTHING: Final = AccessScope()
