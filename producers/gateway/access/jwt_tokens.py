"""OAuth 2 client-credentials access tokens (JWT) of the configured issuer, as an alternative to our own tokens.

A token has `iss`, `aud`, `exp`, `scope`, and the claim `yesser` = `{"kind": …, "holder": …}`, which the issuer sets for
each client; that of a partner has `"partners": ["AGENCY/PARTNER_ID", …]` too.
Only asymmetric signatures are accepted; keys come from the issuer's JWKS and are cached.

The console has tokens of its own (docs/decisions/the-gateway-checks-accounts.md): each is valid for a minute, and names
the account, its role and the agency that it sends as. They are signed under a secret that only the console and the
gateway have; whether there is such an account, the database says (`callers`).
"""

from __future__ import annotations

import asyncio
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any, Final

import jwt
import msgspec

from infra.clock import Clock
from infra.http.callers import KINDS, SCOPES, Kind, Scope
from infra.http.console_tokens import ALGORITHM, ISSUER, SENDERS, Sending
from infra.keys.hash_keys import HashKeyFiles, console_key_files, load_hash_keys
from infra.process.tasks import retrieve_error
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from infra.tls.plaintext import refuse_plain_http

_ALGORITHMS: Final = {"RSA": ("RS256", "PS256"), "EC": ("ES256",), "OKP": ("EdDSA",)}
"""By type of key: a token that names another one for its key is not valid."""
_LEEWAY_S: Final = 10
_KEYS_KEPT_S: Final = 300
_FETCH_PAUSE_S: Final = 10
_TIMEOUT_S: Final = 5
_LAST_S: Final = 253_402_300_799
"""The last second that a `datetime` holds."""
_NOT_VALID: Final = (jwt.PyJWTError, TypeError, ValueError, OverflowError, RecursionError)
"""What the library raises for a token that is not one, or does not fit its key."""


JsonClaims = dict[str, Any]
"""The claims of a token, in whatever form its issuer wrote them."""


@dataclass(frozen=True, slots=True)
class JwtClaims:
    """The claims of a valid token."""

    kind: Kind
    holder: str
    scopes: frozenset[Scope]
    partners: tuple[str, ...] = ()
    expires_at: datetime | None = None


class _Header(msgspec.Struct):
    alg: str
    kid: str = ""


def looks_like_jwt(token: str) -> bool:
    """Three parts separated by dots; our own tokens have no dot."""
    return token.count(".") == 2


def is_of_console(token: str) -> bool:
    """Whether the token names the console's algorithm, which no other issuer's token may have."""
    header = _header_of(token)
    return header is not None and header.alg == ALGORITHM


class IssuerKeys:
    """The issuer's keys by id. An unknown id makes them be fetched again, at most once in `_FETCH_PAUSE_S`."""

    def __init__(self, client: jwt.PyJWKClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = -inf
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """The key with this id, if the issuer has it. Raises `OSError` if the keys cannot be fetched."""
        now = self._clock()
        is_current = now - self._fetched_at < _KEYS_KEPT_S
        if is_current and kid in self._keys:
            return self._keys[kid]
        if self._fetching is None and now - self._tried_at >= _FETCH_PAUSE_S:
            self._tried_at = now
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(retrieve_error)
        if self._fetching is not None:
            await asyncio.shield(self._fetching)
        elif not is_current:
            raise OSError("the issuer's keys could not be fetched")
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        try:
            # The client fetches keys over a blocking connection.
            keys = await asyncio.to_thread(self._client.get_signing_keys, refresh=True)
        except (jwt.PyJWTError, ValueError) as error:
            raise OSError("the issuer's keys cannot be fetched") from error
        finally:
            self._fetching = None
        self._keys = {key.key_id: key for key in keys if key.key_id is not None}
        self._fetched_at = self._clock()


class JwtIssuer:
    """Verifies the tokens of one issuer."""

    def __init__(self, issuer: str, audience: str, keys: IssuerKeys) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    @classmethod
    def of(cls, settings: Settings) -> JwtIssuer | None:
        """The configured issuer, or None. Raises `PlaintextRefused` where its keys could be changed on their way."""
        if settings.gateway_jwt_issuer is None or settings.gateway_jwks_address is None:
            return None
        address = settings.gateway_jwks_address
        refuse_plain_http(settings, "issuer", "YESSER_GATEWAY_JWKS_ADDRESS", address)
        tls = client_context(TlsFiles.of(settings)) if address.startswith("https:") else None
        client = jwt.PyJWKClient(address, cache_jwk_set=False, timeout=_TIMEOUT_S, ssl_context=tls)
        return cls(settings.gateway_jwt_issuer, settings.gateway_jwt_audience, IssuerKeys(client))

    async def read(self, token: str) -> JwtClaims | None:
        """The token's claims, or None if it is not valid now. Raises `OSError` if the keys cannot be fetched."""
        header = _header_of(token)
        if header is None or not header.kid or not any(header.alg in names for names in _ALGORITHMS.values()):
            return None  # the library need not be asked
        key = await self._keys.find(header.kid)
        if key is None or header.alg not in _ALGORITHMS.get(str(key.key_type), ()):
            return None
        try:
            claims: JsonClaims = jwt.decode(
                token,
                key.key,
                algorithms=[header.alg],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
            expires_at = datetime.fromtimestamp(min(int(claims["exp"]), _LAST_S), UTC)
        except _NOT_VALID:
            return None
        return claims_of(claims, expires_at)


def claims_of(claims: JsonClaims, expires_at: datetime | None = None) -> JwtClaims | None:
    """Kind, holder, scopes and partners, or None if the token does not have them in the expected form."""
    ours, scope = claims.get("yesser"), claims.get("scope", "")
    if not isinstance(ours, dict) or not isinstance(scope, str):
        return None
    kind, holder = ours.get("kind"), ours.get("holder")
    if kind not in KINDS or not isinstance(holder, str):
        return None
    partners = ours.get("partners", []) if kind == "partner" else []
    if not isinstance(partners, list) or not all(isinstance(partner, str) for partner in partners):
        return None
    requested = set(scope.split())
    scopes = frozenset(known for known in SCOPES if known in requested)
    return JwtClaims(kind, holder, scopes, tuple(partners), expires_at)


def _header_of(token: str) -> _Header | None:
    """The algorithm and the id of the key that a token names; None for what is no header."""
    encoded = token.partition(".")[0]
    try:
        return msgspec.json.decode(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)), type=_Header)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None


class ConsoleIssuer:
    """Verifies the console's tokens, by each key that is valid. `clock` gives the time of day."""

    def __init__(self, files: HashKeyFiles, audience: str, clock: Clock) -> None:
        self._files = files
        self._audience = audience
        self._clock = clock
        self._keys = load_hash_keys(files)

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> ConsoleIssuer | None:
        """None where the gateway has no key of a console: then it accepts none of its tokens. Raises `InvalidKey`."""
        files = console_key_files(settings)
        return cls(files, settings.gateway_jwt_audience, clock) if files.current.exists() else None

    def read_keys(self) -> bool:
        """Whether the files have other keys than before. Raises `InvalidKey`."""
        before, self._keys = self._keys, load_hash_keys(self._files)
        return self._keys != before

    def read(self, token: str) -> Sending | None:
        """What the token says, or None if it is not a valid one of the console, or of a role that sends nothing.

        Raises `InvalidKey`.
        """
        sending = self._read(token)
        if sending is None and self.read_keys():  # of a key that was put in use since the files were read
            sending = self._read(token)
        return sending

    def _read(self, token: str) -> Sending | None:
        tried = (self._read_by(key.text, token) for key in self._keys.valid(self._clock()))
        return next((found for found in tried if found is not None), None)

    def _read_by(self, key: str, token: str) -> Sending | None:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub", "role", "holder"]},
            )
        except _NOT_VALID:
            return None
        sending = Sending(claims["sub"], claims["role"], claims["holder"])
        return sending if all(isinstance(name, str) for name in sending) and sending.role in SENDERS else None
