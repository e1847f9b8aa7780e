"""A scratch that will become the live schema, and outlives its process: a rebuild that was interrupted goes on there.

Its position and its version are in a table beside its rows, and move in the transaction that stores the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import Scratch
from events.wire.entry import Entry
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.replay.rebuild", "lasting_scratch.sql")


class LastingScratch(Scratch):
    """The rebuilt tables of one version of a consumer's fold."""

    def __init__(self, connection: Connection, consumer: Consumer) -> None:
        super().__init__(connection, consumer, f"rebuild_{consumer.schema}_next", keeps_past=True)
        self.version = consumer.rows_version

    async def open(self, live_position: int) -> None:
        """Go on where a rebuild of this version was interrupted, else begin again."""
        position = await self._stored_position()
        if position is not None and position <= live_position:
            await self.use()
            self.go_on(position)
            return
        async with self.connection.transaction():
            await self.drop()
            await self.create(lasting=True)
            await self.connection.execute(_SQL["create"])
            await self.connection.execute(_SQL["begin"], self.version.number, self.version.sha256)

    async def apply(self, entries: Sequence[Entry]) -> None:
        await super().apply(entries)
        await self.connection.execute(_SQL["move"], self.position)

    async def _stored_position(self) -> int | None:
        if not await self.connection.fetchval(_SQL["exists"], f"{self.schema}.replayed"):
            return None
        stored = _SQL["position"].format(schema=self.schema)
        position: int | None = await self.connection.fetchval(stored, self.version.number, self.version.sha256)
        return position
