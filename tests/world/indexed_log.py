"""A log in memory as the database gives it to readers, with an index of events that may be behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import parse_entry
from infra.log.merkle import leaf_hash
from infra.postgres.connection import Connection


class IndexedLog:
    """One segment. `read` has the indexes of the first entries of what was asked from the log."""

    def __init__(self, raw: Sequence[bytes], indexed: int) -> None:
        self.raw = raw
        self.read: list[int] = []
        self._rows = [parse_entry(index, entry) for index, entry in enumerate(raw[:indexed])]

    async def fetch(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        if "FROM event" in sql:
            after, limit, *given, end = arguments
            own = [row.index for row in self._rows if after < row.index < end and _has(row, sql, given)]
            return [(index,) for index in own[:limit]]
        assert "FROM log.segment" in sql, sql
        first = arguments[0][0] if isinstance(arguments[0], list) else arguments[0]
        self.read.append(first)
        data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in self.raw)
        return [(0, data, b"".join(map(leaf_hash, self.raw)))]

    async def fetchval(self, sql: str) -> int:
        return len(self.raw)

    async def execute(self, sql: str) -> None:
        pass


def _has(row: Any, sql: str, given: list[Any]) -> bool:
    subject, *types = given
    assert ("type = ANY" in sql) == bool(types)
    return row.subject == subject and (not types or row.full_type in types[0])


def shown(log: IndexedLog, applied: int | None = None) -> View:
    """A view of it; the ledger has `applied` all entries unless told otherwise."""
    positions = {EVENT_INDEX.name: len(log._rows), REVENUE.name: len(log.raw) if applied is None else applied}
    schemas = {EVENT_INDEX.name: EVENT_INDEX.schema, REVENUE.name: REVENUE.schema}
    return View(cast(Connection, log), positions, schemas)
