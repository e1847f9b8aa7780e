"""The gateway accepts the console's tokens for a minute, and no others under its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from infra.http.console_tokens import ISSUER, Sending, console_token
from producers.gateway.access.console_tokens import ConsoleIssuer

KEY, AUDIENCE = "k" * 64, "yesser-gateway"
SENDING = Sending("press", "team", "health")
GATEWAY = ConsoleIssuer(KEY, AUDIENCE)


def token(now: datetime | None = None, key: str = KEY, audience: str = AUDIENCE) -> str:
    return console_token(key, SENDING, audience, now or datetime.now(UTC))


def signed(key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    """A token of which some claims are others; one that is None is left out."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": 9_999_999_999, "sub": "press", "role": "team", "holder": "health"}
    return jwt.encode({k: v for k, v in (claims | changes).items() if v is not None}, key, algorithm)


def test_a_token_names_the_account_its_role_and_the_agency() -> None:
    assert GATEWAY.read(token()) == GATEWAY.read(signed()) == SENDING


@pytest.mark.parametrize(
    "given",
    [
        token(datetime.now(UTC) - timedelta(minutes=2)),
        token(key="x" * 64),
        token(audience="elsewhere"),
        token()[:-3] + "AAA",
        "a.b.c",
        "",
        signed("", "none"),
        signed(algorithm="HS384"),
        signed(iss="another"),
        signed(exp=None),
        signed(sub=None),
        signed(role=None),
        signed(holder=None),
        signed(role=["team"]),
        signed(holder={"health": 1}),
        signed(role="auditor"),
        signed(role="administrator"),
    ],
    ids=range(17),
)
def test_another_token_is_not_valid(given: str) -> None:
    assert GATEWAY.read(given) is None
