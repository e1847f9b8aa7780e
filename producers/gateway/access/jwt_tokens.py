"""OAuth 2 access tokens (JWT) of one configured issuer, as an alternative to our own.

A token names `iss`, `aud`, `exp`, `scope`, and the claim `yesser` = `{"kind": …, "holder": …}`, which the issuer gives
to each of its clients. Only asymmetric signatures are taken; keys come from the issuer's JWKS and are kept.
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
    """What a valid token says."""

    kind: Kind
    holder: str
    scopes: frozenset[Scope]


def looks_like_jwt(token: str) -> bool:
    """Three parts with dots between them; ours has none."""
    return token.count(".") == 2


class JwtIssuer:
    """Reads the tokens of one issuer."""

    def __init__(self, issuer: str, audience: str, keys: jwt.PyJWKClient) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    @classmethod
    def of(cls, settings: Settings) -> JwtIssuer | None:
        """The issuer of the settings, or None where none is configured."""
        if settings.gateway_jwt_issuer is None or settings.gateway_jwks_address is None:
            return None
        keys = jwt.PyJWKClient(settings.gateway_jwks_address, lifespan=_KEYS_KEPT_S, timeout=_TIMEOUT_S)
        return cls(settings.gateway_jwt_issuer, settings.gateway_jwt_audience, keys)

    async def read(self, token: str) -> JwtClaims | None:
        """What the token says, or None where it is not valid now. Raises `OSError` where the keys cannot be had."""
        try:
            # The client asks the issuer over a blocking connection.
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
            raise OSError("the issuer's keys cannot be had") from error
        except jwt.PyJWTError:
            return None
        return claims_of(claims)


def claims_of(claims: dict[str, Any]) -> JwtClaims | None:
    """Kind, holder and scopes, if the token names them in the way that is due here."""
    ours, scope = claims.get("yesser"), claims.get("scope", "")
    if not isinstance(ours, dict) or not isinstance(scope, str):
        return None
    kind, holder = ours.get("kind"), ours.get("holder")
    if kind not in KINDS or not isinstance(holder, str):
        return None
    asked = set(scope.split())
    return JwtClaims(kind, holder, frozenset(known for known in SCOPES if known in asked))
