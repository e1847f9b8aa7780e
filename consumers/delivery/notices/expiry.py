"""When a token or a client certificate is about to expire. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

WARNED_DAYS: Final = (2, 14)
"""So many days before."""


def warning(created_at: datetime, expires_at: datetime, now: datetime) -> int | None:
    """The number of days of `WARNED_DAYS` that is due; None for none, and for what never was valid for longer."""
    for days in WARNED_DAYS:
        begins = expires_at - timedelta(days=days)
        if begins <= now < expires_at:
            return days if created_at < begins else None
    return None
