"""The relay counts what is held once a second, not at each look at its outbox."""

from __future__ import annotations

from typing import Any, cast

from consumers.relay.relay import PlatformOutbox
from infra.postgres.connection import Connection


class _Empty:
    """A database whose outbox is empty; each count finds one more held decision."""

    def __init__(self) -> None:
        self.counts = 0

    async def fetch(self, *_: Any) -> list[Any]:
        return []

    async def fetchval(self, *_: Any) -> int:
        self.counts += 1
        return self.counts


async def test_held_decisions_are_counted_once_a_second() -> None:
    database, times = _Empty(), iter([100.0, 100.1, 100.9, 101.0, 101.5, 103.0])
    outbox = PlatformOutbox(lambda: next(times))
    seen = []
    for _ in range(6):
        await outbox.unsent(cast(Connection, database), 10)
        seen.append(outbox.held_count)
    assert seen == [1, 1, 1, 2, 2, 3]
