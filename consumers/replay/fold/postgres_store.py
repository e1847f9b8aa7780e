"""The rows of a consumer in PostgreSQL: the tables that `search_path` selects, within the caller's transactions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import KeepingUnitOfWork, KeptKeys
from consumers.replay.fold.past_storage import keep
from consumers.replay.fold.stored_keys import StoredKeys
from infra.postgres.connection import Connection
from infra.postgres.row_storage import read, save
from infra.postgres.unit_of_work import Key, Table, UnitOfWork


class PostgresStore:
    """With `kept`, the store also keeps what its rows were. `stored`: which keys it may have, where it began empty."""

    def __init__(self, connection: Connection, kept: KeptKeys | None = None, stored: StoredKeys | None = None) -> None:
        self._connection = connection
        self._kept = kept
        self._stored = stored

    def begin(self) -> UnitOfWork:
        return UnitOfWork(with_views=True) if self._kept is None else KeepingUnitOfWork(self._kept)

    async def read(self, table: Table[Any], keys: list[Key] | None) -> Iterable[Any]:
        if keys is not None and self._stored is not None:
            keys = self._stored.maybe(table, keys)
        return [] if keys == [] else await read(self._connection, table, keys)

    async def write(self, rows: UnitOfWork) -> None:
        if isinstance(rows, KeepingUnitOfWork):
            await keep(self._connection, rows)
        await save(self._connection, rows)
        if self._stored is not None:
            self._stored.note(rows)

    def forget(self) -> None:
        """Call it after a transaction that failed while it was written: what it kept was lost."""
        if self._kept is not None:
            self._kept.forget()


def live_store(connection: Connection, consumer: Consumer) -> PostgresStore:
    """The live tables, with what their rows were where the consumer keeps that."""
    return PostgresStore(connection, KeptKeys() if consumer.keeps_past else None)
