"""Authenticates a request and its scopes from the header `Authorization`, before the body is read.

Limits come first: a request that is answered 429 is not looked up. A token that is malformed, or a JWT that is not
valid, reaches neither the cache nor the database. A token that is not cached is looked up only while its peer has
failures left, and counts as one unless it is good.

A token's lookup is cached for some seconds, and for the grace time while PostgreSQL is unavailable; a revoked token is
refused once the cache expires. Concurrent requests with the same token share one lookup.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import structlog
from cachetools import LRUCache
from starlette.requests import Request

from events.validation.verdicts import Agency
from infra.clock import Clock, utc_now
from infra.http.body import RawHeaders
from infra.http.callers import DEFAULT_SCOPES, Caller, Kind, Scope
from infra.http.console_tokens import SENDERS, Sending
from infra.http.problems import Problem
from infra.http.rate_limits import RateLimit, Refusals, peer_of
from infra.keys.hash_keys import hash_key_files, load_hash_keys, load_or_create_hash_keys
from infra.keys.seals import Seals
from infra.observability.telemetry import count
from infra.postgres.connection import TRANSIENT_ERRORS, Pool
from infra.postgres.sql import queries
from infra.postgres.trail import Actor, add_to_trail
from infra.postgres.verdicts import paused_of
from infra.process.tasks import retrieve_error
from infra.settings import Settings
from producers.agencies.tokens import key_id_of, keyed_hash
from producers.gateway.access.jwt_tokens import ConsoleIssuer, JwtClaims, JwtIssuer, is_of_console, looks_like_jwt
from producers.gateway.http.protocol import CERTIFICATE

_BEARER: Final = "bearer "
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="yesser"'}
_CACHED_MAX: Final = 10_000
_TOKEN_LENGTH_MAX: Final = 8_192
_BURST_S: Final = 5
"""A peer may send what it may send in this time at once."""
_SQL: Final = queries("producers.gateway.access", "callers.sql")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller | None
    looked_up_at: float


@dataclass(frozen=True, slots=True)
class _Credential:
    """A well-formed token. Limits count by `name`."""

    token: str
    name: str
    claims: JwtClaims | Sending | None = None


class Access:
    """Authenticates callers. `clock` is monotonic, in seconds; `now` is the time of day."""

    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        clock: Callable[[], float] = time.monotonic,
        now: Clock = utc_now,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._now = now
        self._key_files = hash_key_files(settings)
        self._keys = load_or_create_hash_keys(self._key_files)
        self._fresh_s = settings.gateway_token_cache_ms / 1000
        self._grace_s = settings.gateway_token_grace_s
        self._requires_certificate = settings.gateway_client_ca is not None
        self._issuer = JwtIssuer.of(settings)
        self._console = ConsoleIssuer.of(settings, now)
        self._known: LRUCache[bytes, _Known] = LRUCache(_CACHED_MAX)
        self._looking_up: dict[bytes, asyncio.Future[Caller | None]] = {}
        self._used: set[str] = set()
        self._reported: set[str] = set()
        self._refusals = Refusals(clock)
        self._requests = RateLimit(settings.gateway_requests_per_s, settings.gateway_requests_burst)
        self._failures = _per_peer(settings.gateway_failures_per_s)
        self._public = _per_peer(settings.gateway_public_requests_per_s)
        self._log_files = _per_peer(settings.gateway_log_requests_per_s)

    def admit(self, host: str, *, of_log: bool = False) -> None:
        """Count a request that needs no token, for a page or for a file of the log. Raises `Problem` (429)."""
        _require(self._log_files if of_log else self._public, peer_of(host), self._clock())

    async def caller(self, request: Request) -> Caller:
        """Who sends this request; authenticated, and counted, once for each request. Raises `Problem`."""
        caller: Caller | None = getattr(request.state, "caller", None)
        if caller is None:
            caller = await self.authenticate(request.scope["headers"], host_of(request))
            request.state.sender = caller
            if self._requires_certificate:
                shown = request.scope.get("extensions", {}).get(CERTIFICATE)
                caller.require_certificate(None if shown is None else shown["name"])
            request.state.caller = caller
        return caller

    async def authenticate(self, headers: RawHeaders, host: str) -> Caller:
        """The caller; counts the request against the limits of its peer or token. Raises `Problem`: 401, 429, 503."""
        token, peer = _bearer(headers), peer_of(host)
        if token is None:
            _require(self._failures, peer, self._clock())
            raise _unauthenticated()
        digest = sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is None:
            caller = await self._first_time(token, digest, peer)
        else:
            caller = await self._again(token, digest, peer, known)
        if caller is None:
            raise _unauthenticated()
        if caller.is_changed:
            raise Problem("token-changed")
        return caller

    async def add_refused_to_trail(self, caller: Caller, method: str, pattern: str) -> None:
        """Record that a caller was refused (403). While the database is away it is logged, without the holder."""
        by = Actor(caller.account, caller.quota_name)
        if words := self._refusals.words(caller.account or caller.quota_name, method, pattern):
            try:
                await add_to_trail(self._pool, *words, by=by)
            except TRANSIENT_ERRORS as error:
                log.error("the trail lacks what was refused", refused=words, reason=repr(error))

    def read_keys(self) -> None:
        """Notice that the keys of the tokens were rotated. Raises `InvalidKey`."""
        self._keys = load_hash_keys(self._key_files)
        if self._console is not None:
            self._console.read_keys()

    async def write_last_used(self) -> None:
        """Record in the database which tokens were used since the last call."""
        used, self._used = self._used, set()
        if used:
            await self._pool.execute(_SQL["used"], sorted(used))

    async def _first_time(self, token: str, digest: bytes, peer: str) -> Caller | None:
        """The caller of a token that is not cached. What is not good is not cached: it would displace what is."""
        now = self._clock()
        _require(self._failures, peer, now)
        try:
            caller = await self._look_up_once(token, digest)
        except TRANSIENT_ERRORS:
            self._failures.give_back(peer)
            raise Problem("database-away", retry_after_s=1) from None
        if caller is not None:
            self._failures.give_back(peer)
            _require(self._requests, caller.name, now)
            self._known[digest] = _Known(caller, now)
        return caller

    async def _again(self, token: str, digest: bytes, peer: str, known: _Known) -> Caller | None:
        """The caller of a cached token, looked up again unless that was done recently."""
        now = self._clock()
        if known.caller is None:
            _require(self._failures, peer, now)
        else:
            _require(self._requests, known.caller.name, now)
        if now - known.looked_up_at < self._fresh_s:
            return known.caller
        try:
            caller = await self._look_up_once(token, digest)
        except TRANSIENT_ERRORS:
            if now - known.looked_up_at < self._grace_s:
                return known.caller
            raise Problem("database-away", retry_after_s=1) from None
        self._known[digest] = _Known(caller, now)
        return caller

    async def _credential(self, token: str) -> _Credential | None:
        """What the token itself shows, without the database. Raises `OSError` if an issuer's keys cannot be fetched."""
        if looks_like_jwt(token):
            if is_of_console(token):
                sending = None if self._console is None else self._console.read(token)
                return sending and _Credential(token, f"console/{sending.username}", claims=sending)
            claims = None if self._issuer is None else await self._issuer.read(token)
            return None if claims is None else _Credential(token, f"jwt/{claims.kind}/{claims.holder}", claims=claims)
        key_id = key_id_of(token)
        return None if key_id is None else _Credential(token, key_id)

    async def _look_up_once(self, token: str, digest: bytes) -> Caller | None:
        credential = await self._credential(token)
        if credential is None:
            return None
        looking_up = self._looking_up.get(digest)
        if looking_up is None:
            looking_up = self._looking_up[digest] = asyncio.ensure_future(self._look_up(credential))
            looking_up.add_done_callback(lambda _: self._looking_up.pop(digest))
            looking_up.add_done_callback(retrieve_error)
        return await asyncio.shield(looking_up)  # a disconnecting client must not cancel it for the others

    async def _look_up(self, credential: _Credential) -> Caller | None:
        if isinstance(credential.claims, Sending):
            return await self._caller_of_console(credential.name, credential.claims)
        if credential.claims is not None:
            return await self._caller_of_jwt(credential.name, credential.claims)
        count("gateway_token_lookups")
        row = await self._pool.fetchrow(_SQL["token"], credential.name)
        if row is None or not self._is_hash_of(row["keyed_hash"], row["hash_key_id"], credential.token):
            return None
        if not any(Seals(key.secret).is_token(row) for key in self._keys.valid(self._now())):
            await self._report_changed(credential.name)
            return Caller(credential.name, row["kind"], row["holder"], frozenset(), None, is_changed=True)
        self._used.add(credential.name)
        scopes, partners = frozenset(row["scopes"]), tuple(row["partners"])
        found = _caller(credential.name, row["kind"], row["holder"], scopes, row, partners)
        return replace(found, expires_at=row["expires_at"])

    async def _report_changed(self, key_id: str) -> None:
        """Count it; log it and put it into the trail once: the row was changed, or is of an earlier release."""
        count("gateway_tokens_changed")
        if key_id in self._reported:
            return
        self._reported.add(key_id)
        log.error("a token is refused: its row has not the seal of its members", key_id=key_id)
        await add_to_trail(self._pool, "refused token", key_id, by=Actor())

    def _is_hash_of(self, stored: bytes, hash_key_id: str | None, token: str) -> bool:
        """Whether the stored hash is the token's under a valid key. Without an id it is of an earlier release."""
        keys = self._keys.valid(self._now(), hash_key_id)
        if not keys:  # of a key that was put in use since the files were read
            self.read_keys()
            keys = self._keys.valid(self._now(), hash_key_id)
        return any(hmac.compare_digest(stored, keyed_hash(token, key.secret)) for key in keys)

    async def _caller_of_jwt(self, name: str, claims: JwtClaims) -> Caller | None:
        row: Any = {"role": None, "is_suspended": False, "paused_until": None, "halted_reason": None}
        if claims.kind in ("agency", "office"):
            count("gateway_token_lookups")
            row = await self._pool.fetchrow(_SQL["agency"], claims.holder)
            if row is None or row["role"] != claims.kind:
                return None
        scopes = claims.scopes & frozenset(DEFAULT_SCOPES[claims.kind])
        return replace(
            _caller(name, claims.kind, claims.holder, scopes, row, claims.partners), expires_at=claims.expires_at
        )

    async def _caller_of_console(self, name: str, sending: Sending) -> Caller | None:
        """None unless the account is active and has this role, and the agency is registered and the account's own."""
        count("gateway_token_lookups")
        row = await self._pool.fetchrow(_SQL["console_account"], *sending)
        kind = SENDERS[sending.role]
        if row is None or row["role"] != kind:
            return None
        found = _caller(name, kind, sending.holder, frozenset(DEFAULT_SCOPES[kind]), row, ())
        return replace(found, account=sending.username)


def host_of(request: Request) -> str:
    """The address of the request's sender: of the peer, or as a trusted proxy names it."""
    return request.client.host if request.client else ""


def _caller(
    name: str, kind: Kind, holder: str, scopes: frozenset[Scope], row: Any, partners: tuple[str, ...]
) -> Caller:
    agency = None if row["role"] is None else Agency(holder, row["role"])
    halted = row["halted_reason"]
    return Caller(
        name, kind, holder, scopes, agency, row["is_suspended"], partners, halted=halted, paused=paused_of(row)
    )


def _per_peer(per_s: float) -> RateLimit:
    return RateLimit(per_s, _BURST_S * per_s)


def _require(limit: RateLimit, name: str, now: float) -> None:
    """Raises `Problem` (429) where the limit is reached."""
    if wait_s := limit.wait_s(name, now):
        raise Problem("too-many-requests", retry_after_s=wait_s)


def _unauthenticated() -> Problem:
    return Problem("unauthenticated", headers=_CHALLENGE)


def _bearer(headers: RawHeaders) -> str | None:
    """The token, if there is exactly one."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1 or len(given[0]) > _TOKEN_LENGTH_MAX:
        return None
    text = given[0].decode("latin-1")
    return text[len(_BEARER) :].strip() if text[: len(_BEARER)].lower() == _BEARER else None
