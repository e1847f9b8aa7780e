"""Looks claims up for the only writer of the log, which adds those that it commits.

The database is the truth, and its primary key rejects a second row for a claim. If it ever does, what is sealed is
wrong: it is thrown away, and made again from the claims.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from consumers.registrar.claims.filter import ClaimFilter
from events.errors import Retry
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.verdicts import KnownEvents, known_events

_PRIMARY_KEY: Final = "event_id_pkey"
_SQL: Final = queries("consumers.registrar.claims", "claims.sql")


class ClaimMissed(Retry):
    """Sealed claims lack one that the log has. They are deleted and made again; meanwhile all claims are looked up."""


class ClaimLookup:
    """Until its filter was filled (`sealing.keep_claims`), all claims are looked up."""

    def __init__(self, connection: Connection) -> None:
        self.filter = ClaimFilter()
        self._connection = connection

    async def known(self, claims: Sequence[bytes]) -> KnownEvents:
        """The events of the log that have one of these claims."""
        return await known_events(self._connection, self.filter.possible(claims))

    def add(self, claims: Sequence[bytes], end_index: int) -> None:
        """Note claims that were committed, of entries below `end_index`."""
        self.filter.add(claims, end_index)

    @asynccontextmanager
    async def none_missed(self, hold: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Raises `ClaimMissed` if a claim that is written in the block was not known, but is in the log.

        `hold` is the first statement of an owner's transaction.
        """
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            # Where every claim was looked up, it is a bug, and a new term would only repeat it.
            if error.constraint_name != _PRIMARY_KEY or self.filter.recent_from is None:
                raise
            async with self._connection.transaction():
                await hold()
                await self._connection.execute(_SQL["unseal_all"])
            raise ClaimMissed(ClaimMissed.__doc__) from error
