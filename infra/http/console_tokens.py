"""What the console's tokens say to the gateway: the console makes them, the gateway verifies them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import jwt

from infra.http.callers import Caller

ISSUER: Final = "yesser-console"
ALGORITHM: Final = "HS256"
VALID_S: Final = 60


def console_token(key: str, caller: Caller, username: str, audience: str, now: datetime) -> str:
    """A token for one request that `username` makes as `caller`."""
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": username,
        "iat": now,
        "exp": now + timedelta(seconds=VALID_S),
        "scope": " ".join(sorted(caller.scopes)),
        "yesser": {"kind": caller.kind, "holder": caller.holder, "partners": list(caller.partners)},
    }
    return jwt.encode(claims, key, ALGORITHM)
