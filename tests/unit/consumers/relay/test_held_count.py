"""The relay counts what is held once a second, not at each look at its outbox."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock, MagicMock

from consumers.relay.relay import PlatformOutbox


async def test_held_decisions_are_counted_once_a_second() -> None:
    times, seen = iter([100.0, 100.1, 100.9, 101.0, 101.5, 103.0]), []
    empty: Any = MagicMock(fetch=AsyncMock(return_value=[]), fetchval=AsyncMock(side_effect=[1, 2, 3]))
    outbox = PlatformOutbox(lambda: next(times))
    for _ in range(6):
        await outbox.unsent(empty, 10)
        seen.append(outbox.held_count)
    assert seen == [1, 1, 1, 2, 2, 3]
