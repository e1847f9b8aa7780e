"""The tables of a rebuild. They outlive its process: a rebuild that was interrupted goes on there.

How far they are folded, by which version, and the hash of the last entry are in a table beside their rows, and move in
the transaction that stores the rows. So the next rebuild knows whether they are of its version and of its log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import Scratch
from events.errors import Fenced
from events.wire.entry import Entry
from infra.postgres.connection import Connection
from infra.postgres.sql import in_transaction, queries

_SQL: Final = queries("consumers.replay.rebuild", "lasting_scratch.sql")


def schema_of(consumer: Consumer) -> str:
    """The schema of a consumer's rebuilt tables until they are live."""
    return f"rebuild_{consumer.schema}_next"


class RangeScratch(Scratch):
    """The entries from `first` on, in the tables of the rebuild that has this `fence`, for a consumer that
    `folds_entries_apart`."""

    def __init__(self, connection: Connection, consumer: Consumer, first: int, fence: str) -> None:
        super().__init__(connection, consumer, schema_of(consumer))
        self.position = first
        self._fence = fence

    async def apply(self, entries: Sequence[Entry]) -> None:
        """Raises `Fenced` where another rebuild has taken over."""
        if not await self.connection.fetchval(_SQL["fenced"], self._fence):
            raise Fenced(f"another rebuild of {self.consumer.name} has taken over")
        await super().apply(entries)


class LastingScratch(Scratch):
    """The rebuilt tables of one version of a consumer's fold.

    The rows of the first `copied` entries were copied and not folded; `folded_from` is where this process began.
    """

    def __init__(self, connection: Connection, consumer: Consumer) -> None:
        super().__init__(connection, consumer, schema_of(consumer), keeps_past=True)
        self.version = consumer.rows_version
        self.copied = 0
        self.folded_from = 0
        self.fence = ""

    async def open(self, live_position: int, *, may_copy: bool = False) -> None:
        """Go on where a rebuild of this version and this log was interrupted, else begin again.

        Rows that were copied are used only where the caller `may_copy` them.
        """
        position, copied = await self._stored_progress()
        if 0 < position <= live_position and (may_copy or not copied):
            await self.use()
            await self._take_over(position)
            self.go_on(position)
            self.copied, self.folded_from = copied, position
            return
        async with self.connection.transaction():
            await self.drop()
            await self.connection.execute(f"CREATE SCHEMA {self.schema}")
            await self.use()
            for text in (*self.consumer.table_sql(), _SQL["create"]):
                await self.connection.execute(text)
            began = self.version.number, self.version.sha256
            self.fence = str(await self.connection.fetchval(_SQL["begin"], *began))

    async def _take_over(self, position: int) -> None:
        """From here on no process of an earlier rebuild writes. What it wrote of ranges after `position` is deleted."""
        async with self.connection.transaction():
            await self.connection.execute(_SQL["locked"])
            self.fence = str(await self.connection.fetchval(_SQL["take_over"]))
            for table in self.consumer.tables if self.consumer.folds_entries_apart else ():
                await self.connection.execute(f"DELETE FROM {table.name} WHERE {table.since} >= $1", position)

    async def apply(self, entries: Sequence[Entry]) -> None:
        await super().apply(entries)
        await self.connection.execute(_SQL["move"], self.position)

    async def move(self, position: int) -> None:
        """Other processes have folded up to `position`."""
        await self.connection.execute(_SQL["move"], position)
        self.position = position

    async def begin_at(self, position: int) -> None:
        """The rows were copied: they are those after `position` entries. In the transaction that copied them."""
        await self.move(position)
        await self.connection.execute(_SQL["copied"], position)
        self.go_on(position)
        self.copied = self.folded_from = position

    async def build_indexes(self) -> None:
        """Build the indexes by which rows are found. No fold needs them, and a fold without them is quicker."""
        for text in self.consumer.index_sql():
            await self.connection.execute(in_transaction(text))

    async def _stored_progress(self) -> tuple[int, int]:
        """Position and `copied` of the rows that are there; 0 where they cannot be used."""
        if not await self.connection.fetchval(_SQL["exists"], f"{self.schema}.rebuild_progress"):
            return 0, 0
        sql = _SQL["stored"].format(schema=self.schema)
        row = await self.connection.fetchrow(sql, self.version.number, self.version.sha256)
        return (0, 0) if row is None else (row["position"], row["copied"])
