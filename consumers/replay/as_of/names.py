"""Reads the names of agencies, services and projects for people who see their codes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, get_args

import uvloop
from asyncpg import PostgresError

from consumers.documents.document import Name
from consumers.documents.names import Code, Kind, Names
from events.errors import YesserError
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, Pool, connected
from infra.postgres.sql import queries
from infra.settings import Settings

READ_EVERY_S: Final = 2.0
NAMES_MAX: Final = 50_000
"""Of each kind, in the memory of a process that shows pages."""
_AWAY: Final = (*TRANSIENT_ERRORS, PostgresError)
"""Without names codes are shown: also before a consumer has made its tables."""
_SQL: Final = queries("consumers.replay.as_of", "names.sql")
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


async def names_of(connection: Connection, codes: Iterable[Code]) -> Names:
    """The names of those that have one."""
    wanted = set(codes)
    if not wanted:
        return {}
    given = ([code for of, code in wanted if of == kind] for kind in _KINDS)
    return {(row["kind"], row["code"]): Name(**row["name"]) for row in await connection.fetch(_SQL["names_of"], *given)}


def stored_names(codes: Iterable[Code]) -> Names:
    """For a command. Where the database is not here, none."""
    with suppress(*_AWAY, YesserError):
        return uvloop.run(_read(codes))
    return {}


async def _read(codes: Iterable[Code]) -> Names:
    async with connected(Settings().acting_as("reader"), "names") as connection:
        return await names_of(connection, codes)


class Directory:
    """All names, for a process that shows many pages. `run` reads new ones, and ends with its task."""

    def __init__(self, pool: Pool) -> None:
        self.names: dict[Code, Name] = {}
        self._pool = pool
        self._read_to = dict.fromkeys(_KINDS, -1)

    async def run(self) -> None:
        while True:
            with suppress(*_AWAY):  # they are read when the database answers again
                await self.refresh()
            await asyncio.sleep(READ_EVERY_S)

    async def refresh(self) -> None:
        for row in await self._pool.fetch(_SQL["names_after"], *self._read_to.values(), NAMES_MAX):
            if len(self.names) < len(_KINDS) * NAMES_MAX:
                self.names[row["kind"], row["code"]] = Name(**row["name"])
            self._read_to[row["kind"]] = row["index"]
