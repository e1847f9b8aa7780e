"""What the console's tokens say to the gateway: the console makes them, the gateway verifies them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import jwt

from infra.http.callers import Kind

ISSUER: Final = "yesser-console"
ALGORITHM: Final = "HS256"
VALID_S: Final = 60
SENDERS: Final[Mapping[str, Kind]] = {"office": "office", "agency": "agency", "team": "agency"}
"""The roles of accounts for which the console sends, and the kind of holder that each sends as. It reads for the others
by itself: the gateway accepts no token of theirs."""


class Sending(NamedTuple):
    """The account that a token is of, its role, and the agency that it sends as."""

    username: str
    role: str
    holder: str


def console_token(key: str, sending: Sending, audience: str, now: datetime) -> str:
    """A token for one request."""
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": sending.username,
        "iat": now,
        "exp": now + timedelta(seconds=VALID_S),
        "role": sending.role,
        "holder": sending.holder,
    }
    return jwt.encode(claims, key, ALGORITHM)
