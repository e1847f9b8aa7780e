"""Sessions: a random value in a cookie, whose hash stands in the database, so that a session can be ended at once."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from consumers.console.accounts.accounts import Account, account_of
from infra.postgres.connection import TRANSIENT_ERRORS, Pool
from infra.postgres.sql import queries
from infra.settings import Settings

COOKIE: Final = "yesser-session"
_VALUE_LENGTH_MAX: Final = 64
REMEMBERED_MAX: Final = 2_000
REMEMBERED_FOR: Final = timedelta(minutes=10)
"""How long a session that was found is believed while the database does not answer. There is nothing to see then but
pages that this process has kept."""
_SQL: Final = queries("consumers.console.accounts", "accounts.sql")


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. `csrf` stands in every form of the session's pages."""

    account: Account
    csrf: str


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, pool: Pool, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock
        self._age_max = timedelta(hours=settings.console_session_h)
        self._idle_max = timedelta(hours=settings.console_idle_h)
        self._remembered: OrderedDict[bytes, tuple[Session, datetime]] = OrderedDict()

    async def begin(self, account: Account) -> str:
        """Begin a session; the value of its cookie."""
        value = secrets.token_urlsafe(32)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["remove_ended"], self._clock(), self._age_max, self._idle_max)
            await connection.execute(_SQL["begin_session"], _digest(value), account.username, secrets.token_urlsafe(24))
            await connection.execute(_SQL["signed_in"], account.username)
        return value

    async def find(self, value: str | None) -> Session | None:
        """The session of a cookie, unless it has ended or its account is disabled.

        Where the database does not answer: the session as it was found last, if that is not long ago. Else raises one
        of `TRANSIENT_ERRORS`.
        """
        if not value or len(value) > _VALUE_LENGTH_MAX:
            return None
        digest, now = _digest(value), self._clock()
        try:
            row = await self._pool.fetchrow(_SQL["session"], digest, now, self._age_max, self._idle_max)
        except TRANSIENT_ERRORS:
            session, found_at = self._remembered.get(digest, (None, now))
            if session is None or now - found_at > REMEMBERED_FOR:
                raise
            return session
        self._remembered.pop(digest, None)
        if row is None:
            return None
        if row["is_stale"]:
            await self._pool.execute(_SQL["seen"], digest, now)
        session = Session(account_of(row), row["csrf"])
        self._remembered[digest] = session, now
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return session

    async def end(self, value: str | None) -> None:
        if value:
            self._remembered.pop(_digest(value), None)
            await self._pool.execute(_SQL["end_session"], _digest(value))


def _digest(value: str) -> bytes:
    return sha256(value.encode()).digest()
