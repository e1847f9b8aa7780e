"""Tokens of the console (docs/decisions/the-console-acts-as-its-users.md): each is valid for a minute, and says for
whom the console sends. They have the claims of an issuer's tokens, and a signature under a secret that only the console
and the gateway have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import jwt

from infra.http.console_tokens import ALGORITHM, ISSUER
from infra.secret_files import CONSOLE_KEY
from infra.settings import Settings
from producers.gateway.access.jwt_tokens import JwtClaims, claims_of

_LEEWAY_S: Final = 10
_NOT_VALID: Final = (jwt.PyJWTError, TypeError, ValueError, OverflowError, RecursionError)


class ConsoleIssuer:
    """Verifies the console's tokens."""

    def __init__(self, key: str, audience: str) -> None:
        self._key = key
        self._audience = audience

    @classmethod
    def of(cls, settings: Settings) -> ConsoleIssuer | None:
        """None where the gateway has no key of a console: then it accepts none of its tokens."""
        key = settings.secret(*CONSOLE_KEY)
        return None if not key else cls(key, settings.gateway_jwt_audience)

    def read(self, token: str) -> JwtClaims | None:
        """The token's claims, or None if it is not a valid one of the console."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except _NOT_VALID:
            return None
        found = claims_of(claims)
        return None if found is None else replace(found, account=claims["sub"])
