"""Authenticates a request and its scopes from the header `Authorization`, before the body is read.

A token's lookup is cached for some seconds, and for the grace time while PostgreSQL is unavailable; a revoked token is
refused once the cache expires. Concurrent requests with the same token share one lookup.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from events.validation.verdicts import Agency
from infra.http.callers import DEFAULT_SCOPES, Caller, Kind, Scope
from infra.http.problems import Problem
from infra.postgres.connection import TRANSIENT_ERRORS, Pool
from infra.postgres.sql import queries
from infra.postgres.verdicts import paused_of
from infra.settings import Settings
from producers.agencies.tokens import hash_key, key_id_of, keyed_hash
from producers.gateway.access.jwt_tokens import JwtIssuer, looks_like_jwt
from producers.gateway.access.limits import RateLimit
from producers.gateway.http.content_mode import RawHeaders

_BEARER: Final = "bearer "
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="yesser"'}
_CACHED_MAX: Final = 10_000
_TOKEN_LENGTH_MAX: Final = 8_192
_SQL: Final = queries("producers.gateway.access", "callers.sql")


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller | None
    looked_up_at: float


class Access:
    """Authenticates callers. `clock` is monotonic, in seconds."""

    def __init__(self, settings: Settings, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._key = hash_key(settings)
        self._fresh_s = settings.gateway_token_cache_ms / 1000
        self._grace_s = settings.gateway_token_grace_s
        self._issuer = JwtIssuer.of(settings)
        self._known: dict[bytes, _Known] = {}
        self._looking_up: dict[bytes, asyncio.Future[Caller | None]] = {}
        self._used: set[str] = set()
        self._requests = RateLimit(settings.gateway_requests_per_s, settings.gateway_requests_burst)
        self._failures = RateLimit(settings.gateway_failures_per_s, 5 * settings.gateway_failures_per_s)

    async def authenticate(self, headers: RawHeaders, peer: str) -> Caller:
        """The caller; counts the request against the rate limit. Raises `Problem`: 401, 429, 503."""
        token = _bearer(headers)
        caller = None if token is None else await self._caller(token)
        now = self._clock()
        if caller is None:
            if wait_s := self._failures.wait_s(peer, now):
                raise Problem("too-many-requests", retry_after_s=wait_s)
            raise Problem("unauthenticated", headers=_CHALLENGE)
        if wait_s := self._requests.wait_s(caller.name, now):
            raise Problem("too-many-requests", retry_after_s=wait_s)
        return caller

    async def write_last_used(self) -> None:
        """Record in the database which tokens were used since the last call."""
        used, self._used = self._used, set()
        if used:
            await self._pool.execute(_SQL["used"], sorted(used))

    async def _caller(self, token: str) -> Caller | None:
        table_hash = sha256(token.encode()).digest()
        known = self._known.get(table_hash)
        now = self._clock()
        if known is not None and now - known.looked_up_at < self._fresh_s:
            return known.caller
        looking_up = self._looking_up.get(table_hash)
        if looking_up is None:
            looking_up = self._looking_up[table_hash] = asyncio.ensure_future(self._look_up(token))
            looking_up.add_done_callback(lambda _: self._looking_up.pop(table_hash))
        try:
            caller = await asyncio.shield(looking_up)  # a disconnecting client must not cancel it for the others
        except TRANSIENT_ERRORS:
            if known is not None and now - known.looked_up_at < self._grace_s:
                return known.caller
            raise Problem("database-away", retry_after_s=1) from None
        if len(self._known) >= _CACHED_MAX:
            self._known.clear()
        self._known[table_hash] = _Known(caller, now)
        return caller

    async def _look_up(self, token: str) -> Caller | None:
        if looks_like_jwt(token):
            return None if self._issuer is None else await self._caller_of_jwt(token, self._issuer)
        key_id = key_id_of(token)
        row = None if key_id is None else await self._pool.fetchrow(_SQL["token"], key_id)
        if key_id is None or row is None or not hmac.compare_digest(row["keyed_hash"], keyed_hash(token, self._key)):
            return None
        self._used.add(key_id)
        return _caller(key_id, row["kind"], row["holder"], frozenset(row["scopes"]), row)

    async def _caller_of_jwt(self, token: str, issuer: JwtIssuer) -> Caller | None:
        claimed = await issuer.read(token)
        if claimed is None:
            return None
        row: Any = {"role": None, "is_suspended": False, "paused_until": None}
        if claimed.kind in ("agency", "office"):
            row = await self._pool.fetchrow(_SQL["agency"], claimed.holder)
            if row is None or row["role"] != claimed.kind:
                return None
        scopes = claimed.scopes & frozenset(DEFAULT_SCOPES[claimed.kind])
        return _caller(f"jwt/{claimed.kind}/{claimed.holder}", claimed.kind, claimed.holder, scopes, row)


def _caller(name: str, kind: Kind, holder: str, scopes: frozenset[Scope], row: Any) -> Caller:
    agency = None if row["role"] is None else Agency(holder, row["role"])
    return Caller(name, kind, holder, scopes, agency, row["is_suspended"], paused_of(row))


def _bearer(headers: RawHeaders) -> str | None:
    """The token, if there is exactly one."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1 or len(given[0]) > _TOKEN_LENGTH_MAX:
        return None
    text = given[0].decode("latin-1")
    return text[len(_BEARER) :].strip() if text[: len(_BEARER)].lower() == _BEARER else None
