"""Tokens of the console (docs/decisions/the-gateway-checks-accounts.md): each is valid for a minute, and names the
account, its role and the agency that it sends as. They are signed under a secret that only the console and the gateway
have; whether there is such an account, the database says (`callers`).
"""

from __future__ import annotations

from typing import Any, Final

import jwt

from infra.http.console_tokens import ALGORITHM, ISSUER, SENDERS, Sending
from infra.secret_files import CONSOLE_KEY
from infra.settings import Settings

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

    def read(self, token: str) -> Sending | None:
        """What the token says, or None if it is not a valid one of the console, or of a role that sends nothing."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=self._audience,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub", "role", "holder"]},
            )
        except _NOT_VALID:
            return None
        found = Sending(claims["sub"], claims["role"], claims["holder"])
        return found if all(isinstance(name, str) for name in found) and found.role in SENDERS else None
