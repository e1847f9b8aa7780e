"""Up to which index a log was recorded by an instant: recorded times grow with the index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from events.wire.entry import parse_entry, recorded_time


async def recorded_by(instant: datetime, size: int, read: Callable[[int], Awaitable[Sequence[bytes]]]) -> int:
    """How many of the first `size` entries were recorded at or before an instant. `read` gives the entry of an index,
    alone in a list; few are read."""
    wanted, low, high = recorded_time(instant), 0, size
    while low < high:
        middle = (low + high) // 2
        (raw,) = await read(middle)
        if parse_entry(middle, raw).recorded <= wanted:
            low = middle + 1
        else:
            high = middle
    return low
