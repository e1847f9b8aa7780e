"""OAuth 2 access tokens (JWT) of one configured issuer, as an alternative to our own.

A token has `iss`, `aud`, `exp`, `scope`, and the claim `yesser` = `{"kind": …, "holder": …}`, which the issuer sets for
each client. Only asymmetric signatures are accepted; keys come from the issuer's JWKS and are cached.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import jwt

from infra.http.callers import KINDS, SCOPES, Kind, Scope
from infra.settings import Settings

_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
_LEEWAY_S: Final = 10
_KEYS_KEPT_S: Final = 300
_TIMEOUT_S: Final = 5


@dataclass(frozen=True, slots=True)
class JwtClaims:
    """The claims of a valid token."""

    kind: Kind
    holder: str
    scopes: frozenset[Scope]


def looks_like_jwt(token: str) -> bool:
    """Three parts separated by dots; our own tokens have no dot."""
    return token.count(".") == 2


class JwtIssuer:
    """Verifies the tokens of one issuer."""

    def __init__(self, issuer: str, audience: str, keys: jwt.PyJWKClient) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    @classmethod
    def of(cls, settings: Settings) -> JwtIssuer | None:
        """The configured issuer, or None."""
        if settings.gateway_jwt_issuer is None or settings.gateway_jwks_address is None:
            return None
        keys = jwt.PyJWKClient(settings.gateway_jwks_address, lifespan=_KEYS_KEPT_S, timeout=_TIMEOUT_S)
        return cls(settings.gateway_jwt_issuer, settings.gateway_jwt_audience, keys)

    async def read(self, token: str) -> JwtClaims | None:
        """The token's claims, or None if it is not valid now. Raises `OSError` if the keys cannot be fetched."""
        try:
            # The client fetches keys over a blocking connection.
            key = await asyncio.to_thread(self._keys.get_signing_key_from_jwt, token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(_ALGORITHMS),
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise OSError("the issuer's keys cannot be fetched") from error
        except jwt.PyJWTError:
            return None
        return claims_of(claims)


def claims_of(claims: dict[str, Any]) -> JwtClaims | None:
    """Kind, holder and scopes, or None if the token does not have them in the expected form."""
    ours, scope = claims.get("yesser"), claims.get("scope", "")
    if not isinstance(ours, dict) or not isinstance(scope, str):
        return None
    kind, holder = ours.get("kind"), ours.get("holder")
    if kind not in KINDS or not isinstance(holder, str):
        return None
    asked = set(scope.split())
    return JwtClaims(kind, holder, frozenset(known for known in SCOPES if known in asked))
