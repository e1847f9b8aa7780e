"""Tokens of the console (docs/decisions/the-gateway-checks-accounts.md): each is valid for a minute, and names the
account, its role and the agency that it sends as. They are signed under a secret that only the console and the gateway
have; whether there is such an account, the database says (`callers`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import jwt

from infra.http.console_tokens import ALGORITHM, ISSUER, SENDERS, Sending
from infra.keys.hash_keys import HashKeyFiles, console_key_files, load_hash_keys
from infra.settings import Settings

_LEEWAY_S: Final = 10
_NOT_VALID: Final = (jwt.PyJWTError, TypeError, ValueError, OverflowError, RecursionError)


class ConsoleIssuer:
    """Verifies the console's tokens, by each key that is valid. `clock` gives the time of day."""

    def __init__(self, files: HashKeyFiles, audience: str, clock: Callable[[], datetime]) -> None:
        self._files = files
        self._audience = audience
        self._clock = clock
        self._keys = load_hash_keys(files)

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], datetime]) -> ConsoleIssuer | None:
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
