"""How long to wait before trying again: longer each time, and never all at the same moment."""

from __future__ import annotations

from typing import Final

_DOUBLINGS_MAX: Final = 30


def backoff_s(tries: int, chance: float, least_s: float, most_s: float) -> float:
    """The pause after this many failed tries (≥ 1). `chance` is in [0, 1) and spreads it over its upper half.

    Without the spread all clients that a restart cut off would come back together, again and again.
    """
    full_s = min(most_s, least_s * 2.0 ** min(tries - 1, _DOUBLINGS_MAX))
    return full_s * (0.5 + chance / 2)
