"""Sessions: a random value in a cookie, whose hash is in the database, so that a session can be ended at once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, cast

import structlog
from cachetools import LRUCache

from consumers.console.accounts.accounts import Account, PasswordChanged, account_of
from consumers.console.accounts.oidc import SignedOut, SignInFailed
from infra.clock import Clock
from infra.keys.resealing import begin_sealing
from infra.keys.seals import Seals
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, Pool
from infra.postgres.sql import queries
from infra.settings import Settings

COOKIE: Final = "yesser-session"
_VALUE_LENGTH_MAX: Final = 64
_GRACE: Final = timedelta(minutes=30)
"""While the database is away, a session counts as valid for this long after its last look-up."""
_KNOWN_MAX: Final = 1_000
_SQL: Final = queries("consumers.console.accounts", "accounts.sql")
_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. `csrf` is in every form of the session's pages; `sid` is that of `SignedIn`."""

    account: Account
    csrf: str
    sid: bytes | None = None


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, pool: Pool, settings: Settings, seals: Seals, clock: Clock) -> None:
        self._pool = pool
        self._seals = seals
        self._clock = clock
        self._age_max = timedelta(hours=settings.console_session_h)
        self._idle_max = timedelta(hours=settings.console_idle_h)
        self._has_passwords = settings.console_passwords == "on"
        self._known: LRUCache[bytes, tuple[Session, datetime]] = LRUCache(_KNOWN_MAX)

    async def begin(self, account: Account, sid: bytes | None = None, password_hash: str | None = None) -> str:
        """Begin a session; the value of its cookie. `password_hash`: what the person's password was compared with.

        Raises `PasswordChanged` where it has been replaced since.
        """
        value, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        digest, now = _digest(value), self._clock()
        async with self._pool.acquire() as connection, connection.transaction():
            await begin_sealing(cast(Connection, connection))
            if not await connection.fetchval(_SQL["signed_in"], account.username, password_hash):
                raise PasswordChanged(PasswordChanged.__doc__)
            seal = self._seals.of_session(digest, account.username, csrf, now, sid)
            await connection.execute(_SQL["remove_ended"], now, self._age_max, self._idle_max)
            await connection.execute(_SQL["begin_session"], digest, account.username, csrf, now, sid, seal)
        return value

    async def find(self, value: str | None) -> Session | None:
        """The session of a cookie, unless it has ended or its account is disabled.

        While the database is away a session that was valid lately stays so, and pages can say what they know. Raises a
        transient error for any other.
        """
        if not value or len(value) > _VALUE_LENGTH_MAX:
            return None
        digest, now = _digest(value), self._clock()
        try:
            row = await self._pool.fetchrow(_SQL["session"], digest, now, self._age_max, self._idle_max)
            if row is not None and row["is_stale"]:
                await self._pool.execute(_SQL["seen"], digest, now)
        except TRANSIENT_ERRORS:
            known = self._known.get(digest)
            if known is None or now - known[1] > _GRACE:
                raise
            return known[0]
        if row is None or not self._is_sealed(row) or (account := account_of(row, self._seals)) is None:
            self._known.pop(digest, None)
            return None
        # Where people sign in at the provider alone, a password that an administrator made opens nothing.
        must_change = account.must_change_password and self._has_passwords
        account = replace(account, is_suspended=row["is_suspended"], must_change_password=must_change)
        session = Session(account, row["csrf"], row["sid_sha256"])
        self._known[digest] = session, now
        return session

    def _is_sealed(self, row: Mapping[str, Any]) -> bool:
        is_sealed = self._seals.is_session(row)
        if not is_sealed:
            _logger.error("a session's row was written by no console: it signs nobody in", username=row["username"])
        return is_sealed

    async def of(self, username: str, value: str | None) -> list[Mapping[str, Any]]:
        """The account's sessions, last used first: `created_at`, `seen_at`, and `is_this`: the one of this cookie."""
        given = (username, _digest(value or ""), self._clock(), self._age_max, self._idle_max)
        return list(await self._pool.fetch(_SQL["sessions"], *given))

    async def end_others(self, username: str, value: str | None) -> None:
        """End every session of an account but the one of this cookie."""
        await self._pool.execute(_SQL["end_other_sessions"], username, _digest(value or ""))

    async def end_of_provider(self, out: SignedOut) -> list[str]:
        """End the sessions of whom the provider signed out; the accounts that had one. Raises `SignInFailed` where the
        token was used before."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["remove_logout_tokens"], self._clock())
            if not await connection.fetchval(_SQL["use_logout_token"], out.token_sha256, out.until):
                raise SignInFailed
            rows = await connection.fetch(_SQL["end_sessions_of_provider"], out.subject, out.sid)
        for row in rows:
            self._known.pop(row["session_sha256"], None)
        return sorted({row["username"] for row in rows})

    async def end(self, value: str | None) -> None:
        if value:
            self._known.pop(_digest(value), None)
            await self._pool.execute(_SQL["end_session"], _digest(value))


def _digest(value: str) -> bytes:
    return sha256(value.encode()).digest()
