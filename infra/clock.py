"""The time of day, and how long to wait before trying again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the time of day; tests give another one."""
_DOUBLINGS_MAX: Final = 30


def utc_now() -> datetime:
    return datetime.now(UTC)


def backoff_s(tries: int, chance: float, least_s: float, most_s: float) -> float:
    """The pause after this many failed tries (≥ 1). `chance` is in [0, 1) and spreads it over its upper half.

    Without the spread all clients that a restart cut off would come back together, again and again.
    """
    full_s = min(most_s, least_s * 2.0 ** min(tries - 1, _DOUBLINGS_MAX))
    return full_s * (0.5 + chance / 2)
