"""The gateway accepts the console's tokens for a minute, and no others under its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from events.validation.verdicts import Agency
from infra.http.callers import DEFAULT_SCOPES, Caller
from infra.http.console_tokens import ISSUER, console_token
from producers.gateway.access.console_tokens import ConsoleIssuer

KEY, AUDIENCE = "k" * 64, "yesser-gateway"
CALLER = Caller("console/press", "agency", "health", frozenset(DEFAULT_SCOPES["agency"]), Agency("health", "agency"))
GATEWAY = ConsoleIssuer(KEY, AUDIENCE)


def token(now: datetime | None = None, key: str = KEY, audience: str = AUDIENCE) -> str:
    return console_token(key, CALLER, "press", audience, now or datetime.now(UTC))


def test_a_token_says_as_whom_the_console_sends() -> None:
    claims = GATEWAY.read(token())
    assert claims is not None
    assert (claims.kind, claims.holder, claims.scopes) == ("agency", "health", CALLER.scopes)


@pytest.mark.parametrize(
    "given",
    [
        token(datetime.now(UTC) - timedelta(minutes=2)),
        token(key="x" * 64),
        token(audience="elsewhere"),
        token()[:-3] + "AAA",
        "a.b.c",
        "",
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "press", "exp": 9_999_999_999}, "", "none"),
        jwt.encode({"iss": "another", "aud": AUDIENCE, "sub": "press", "exp": 9_999_999_999}, KEY, "HS256"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "press"}, KEY, "HS256"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "press", "exp": 9_999_999_999, "yesser": 1}, KEY, "HS256"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "press", "exp": 9_999_999_999}, KEY, "HS384"),
    ],
    ids=range(11),
)
def test_another_token_is_not_valid(given: str) -> None:
    assert GATEWAY.read(given) is None
