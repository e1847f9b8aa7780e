"""Sign-in by an OpenID Connect provider: the authorization code flow with PKCE, state and nonce.

Flows in: a browser that wants to sign in, and comes back with a code. Flows out: the provider's subject. Which account
that is, and whether it is one, the database says: nobody gets in only because the provider knows them. What belongs to
one sign-in is sealed in a cookie of that browser, so that a code of another browser is of no use. The settings may
require how the person was authenticated (OpenID Connect Core 1.0, 2). The provider ends sessions by its logout tokens
(OpenID Connect Back-Channel Logout 1.0).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import httpx
import jwt
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from consumers.console.accounts.tries import Sealer
from events.errors import Reject, Retry
from infra.clock import Clock
from infra.http.answers import bound_answers
from infra.secret_files import OIDC_KEY
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.client import client_context
from infra.tls.plaintext import refuse_plain_http

COOKIE: Final = "yesser-oidc"
VALID_S: Final = 600
_TIMEOUT_S: Final = 10.0
_LEEWAY_S: Final = 30
ANSWER_BYTES_MAX: Final = 1 << 20
"""Of the provider: its configuration, its keys and tokens."""
_ALGORITHMS: Final = {"RSA": ("RS256", "PS256"), "EC": ("ES256",), "OKP": ("EdDSA",)}
"""By type of key: a token that names another one for its key is not valid."""
Claims = dict[str, Any]
"""Open JSON of the provider: the claims of a token, its header, or its configuration."""
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_VALID_MAX_S: Final = 3_600
"""A logout token that is valid for longer is refused: until it ends, its id is kept."""
_DISCOVERY: Final = "/.well-known/openid-configuration"


class ProviderAway(Retry):
    """The identity provider does not answer."""


class SignInFailed(Reject):
    """The identity provider did not sign this browser in, or its answer is not genuine."""


class SignInTooWeak(SignInFailed):
    """The identity provider does not say that it authenticated the person as the settings require.

    `claim`: the one of its ID token that is missing or says something else.
    """

    def __init__(self, subject: str, claim: str) -> None:
        super().__init__(f"{self.__doc__} {claim}")
        self.subject = subject
        self.claim = claim


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whom the provider signed in, and what the browser had asked for. `sid`: SHA-256 of its session's id there."""

    subject: str
    back: str
    sid: bytes | None = None


@dataclass(frozen=True, slots=True)
class SignedOut:
    """Whom the provider signed out: a subject, or its session `sid` alone (SHA-256 of its id), or both.

    `token_sha256` is of the token's id, which counts once until `until`.
    """

    subject: str | None
    sid: bytes | None
    token_sha256: bytes
    until: datetime


@dataclass(frozen=True, slots=True)
class Required:
    """How the provider must have authenticated a person: one of `acr`, each of `amr`, and how long ago at most."""

    acr: Sequence[str] = ()
    amr: Sequence[str] = ()
    max_age_s: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Required:
        acr, amr = settings.console_oidc_acr_values.split(), settings.console_oidc_amr.split()
        return cls(acr, amr, settings.console_oidc_max_age_s)

    def parameters(self) -> dict[str, str]:
        """What the provider is asked for (OpenID Connect Core 1.0, 3.1.2.1); `amr` cannot be asked for."""
        found = {"acr_values": " ".join(self.acr)} if self.acr else {}
        return found if self.max_age_s is None else {**found, "max_age": str(self.max_age_s)}

    def unmet(self, claims: Claims, now_s: float) -> str | None:
        """The claim of a genuine ID token that is missing or does not meet this (3.1.3.7, 11 to 13)."""
        methods = claims.get("amr")
        if self.acr and claims.get("acr") not in self.acr:
            return "acr"
        if self.amr and not (isinstance(methods, list) and all(method in methods for method in self.amr)):
            return "amr"
        if self.max_age_s is not None:
            at = claims.get("auth_time")
            if not isinstance(at, int | float) or not -_LEEWAY_S <= now_s - at <= self.max_age_s + _LEEWAY_S:
                return "auth_time"
        return None


class Oidc:
    """A client of one provider. `clock` gives the time of day."""

    def __init__(
        self,
        settings: Settings,
        issuer: str,
        sealer: Sealer,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._issuer = issuer
        self._client_id = settings.console_oidc_client_id
        self._required = Required.of(settings)
        self._sealer = sealer
        self._clock = clock
        tls = client_context(TlsFiles.of(settings)) if issuer.startswith("https:") else False
        self._http = httpx.AsyncClient(timeout=_TIMEOUT_S, verify=tls, trust_env=False, transport=transport)
        bound_answers(self._http, ANSWER_BYTES_MAX)

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> Oidc | None:
        """The configured provider, or None. Raises `PlaintextRefused` for one whose answers could be changed."""
        issuer = settings.console_oidc_issuer
        if issuer is None:
            return None
        refuse_plain_http(settings, "issuer", "YESSER_CONSOLE_OIDC_ISSUER", issuer)
        return cls(settings, issuer, Sealer.of(settings, "oidc", clock), clock)

    async def begin(self, redirect_uri: str, back: str) -> tuple[str, str]:
        """The provider's address to send the browser to, and the value of its cookie. Raises `ProviderAway`."""
        provider = await self._discover()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        address = prepare_grant_uri(
            self._endpoint(provider, "authorization_endpoint"),
            self._client_id,
            "code",
            redirect_uri=redirect_uri,
            scope="openid",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **self._required.parameters(),
        )
        flow = {"state": state, "nonce": nonce, "verifier": verifier, "back": back}
        return address, self._sealer.seal({**flow, "at": self._clock().timestamp()})

    async def finish(self, cookie: str, answer: Mapping[str, str], redirect_uri: str) -> SignedIn:
        """Whom the provider signed in. Raises `ProviderAway`, `SignInFailed`, `SignInTooWeak`."""
        flow = self._sealer.open(cookie)
        if flow is None or self._clock().timestamp() - flow["at"] > VALID_S:
            raise SignInFailed
        if not secrets.compare_digest(answer.get("state", "").encode(), flow["state"].encode()):
            raise SignInFailed
        if "code" not in answer or answer.get("iss", self._issuer) != self._issuer:
            raise SignInFailed
        provider = await self._discover()
        tokens = await self._exchange(provider, answer["code"], flow["verifier"], redirect_uri)
        claims = await self._verified(provider, tokens, flow["nonce"])
        subject = str(claims["sub"])
        if (claim := self._required.unmet(claims, self._clock().timestamp())) is not None:
            raise SignInTooWeak(subject, claim)
        return SignedIn(subject, flow["back"], _sid(claims))

    async def signed_out(self, token: str) -> SignedOut:
        """Whom a genuine logout token of the provider names (OpenID Connect Back-Channel Logout 1.0, 2.6).

        Raises `ProviderAway`, `SignInFailed`.
        """
        _, claims = await self._claims(await self._discover(), token, "exp", "iat", "iss", "aud", "jti")
        now_s = self._clock().timestamp()
        issued_at, expires_at = claims["iat"], claims["exp"]
        events, subject, token_id = claims.get("events"), claims.get("sub"), claims["jti"]
        is_of_logout = isinstance(events, dict) and isinstance(events.get(_LOGOUT), dict) and "nonce" not in claims
        is_of_now = isinstance(issued_at, int | float) and issued_at <= now_s + _LEEWAY_S
        is_bounded = isinstance(expires_at, int | float) and expires_at <= now_s + LOGOUT_VALID_MAX_S
        if not (is_of_logout and is_of_now and is_bounded and isinstance(token_id, str)):
            raise SignInFailed
        if not isinstance(subject, str | None) or (subject is None and _sid(claims) is None):
            raise SignInFailed
        until = datetime.fromtimestamp(expires_at + _LEEWAY_S, UTC)
        return SignedOut(subject, _sid(claims), sha256(token_id.encode()).digest(), until)

    async def close(self) -> None:
        await self._http.aclose()

    async def _discover(self) -> Claims:
        found = await self._json("GET", self._issuer.rstrip("/") + _DISCOVERY)
        if found.get("issuer") != self._issuer:
            raise SignInFailed
        return found

    async def _exchange(self, provider: Claims, code: str, verifier: str, redirect_uri: str) -> Claims:
        secret = self._settings.secret(OIDC_KEY, "console")
        known = provider.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"
        body = prepare_token_request("authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=verifier)
        auth = ClientAuth(self._client_id, secret, method if secret else "none")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        address, headers, body = auth.prepare("POST", self._endpoint(provider, "token_endpoint"), headers, body)
        return await self._json("POST", address, content=body, headers=headers)

    async def _verified(self, provider: Claims, tokens: Claims, nonce: str) -> Claims:
        """The claims of a genuine ID token for this sign-in (OpenID Connect Core 3.1.3.7)."""
        header, claims = await self._claims(
            provider, str(tokens.get("id_token", "")), "exp", "iat", "iss", "aud", "sub"
        )
        try:
            given = {"nonce": nonce, "client_id": self._client_id, "access_token": tokens.get("access_token")}
            CodeIDToken(claims, header, {}, given).validate(int(self._clock().timestamp()), _LEEWAY_S)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise SignInFailed from error
        return claims

    async def _claims(self, provider: Claims, token: str, *required: str) -> tuple[Claims, Claims]:
        """Header and claims of a token that the provider signed for this client.

        Raises `ProviderAway`, `SignInFailed`.
        """
        keys = await self._json("GET", self._endpoint(provider, "jwks_uri"))
        try:
            header = jwt.get_unverified_header(token)
            found = [key for key in jwt.PyJWKSet.from_dict(keys).keys if header.get("kid") in (None, key.key_id)]
            if len(found) != 1 or header["alg"] not in _ALGORITHMS.get(str(found[0].key_type), ()):
                raise SignInFailed
            claims: Claims = jwt.decode(
                token,
                found[0].key,
                algorithms=[header["alg"]],
                issuer=self._issuer,
                audience=self._client_id,
                leeway=_LEEWAY_S,
                options={"require": [*required], "verify_iat": False},
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise SignInFailed from error
        return header, claims

    def _endpoint(self, provider: Claims, name: str) -> str:
        address = provider.get(name)
        if not isinstance(address, str):
            raise SignInFailed
        refuse_plain_http(self._settings, "issuer", f"the identity provider's {name}", address)
        return address

    async def _json(self, method: str, address: str, **request: Any) -> Claims:
        try:
            response = await self._http.request(method, address, **request)
        except httpx.HTTPError as error:
            raise ProviderAway from error
        if response.status_code >= 500:
            raise ProviderAway
        try:
            document = response.json()
        except ValueError:
            document = None
        if response.status_code >= 400 or not isinstance(document, dict):
            raise SignInFailed
        return document


def _sid(claims: Claims) -> bytes | None:
    """SHA-256 of the id of the provider's session, where it names one."""
    sid = claims.get("sid")
    return sha256(sid.encode()).digest() if isinstance(sid, str) else None
