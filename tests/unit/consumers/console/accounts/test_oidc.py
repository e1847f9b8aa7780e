"""What the console believes of an identity provider: only a genuine ID token, for this client and this sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from consumers.console.accounts.oidc import Oidc, ProviderAway, Required, SignedOut, SignInFailed, SignInTooWeak
from consumers.console.accounts.tries import Sealer
from infra.settings import Settings
from tests.every import every
from tests.world.provider import ISSUER, OTHER_KEY, Provider

NOW = datetime.now(UTC)
SECONDS = int(NOW.timestamp())
CALLBACK = "http://127.0.0.1:2/sign-in/oidc/callback"
ACR = {"console_oidc_acr_values": "high higher"}
AMR = {"console_oidc_amr": "hwk pin"}
MAX_AGE = {"console_oidc_max_age_s": 300}
ALL: dict[str, Any] = {**ACR, **AMR, **MAX_AGE}


def provider_with(required: Mapping[str, Any] | None = None, **changes: Any) -> Provider:
    """A provider of a console that requires this. A claim `auth_time` is given in seconds from now."""
    provider = Provider()
    provider.settings = Settings(**required or {})
    for name, value in changes.items():
        setattr(provider, name, value)
    if isinstance(provider.claims.get("auth_time"), int):
        now = int(datetime.now(UTC).timestamp())
        provider.claims = provider.claims | {"auth_time": now + provider.claims["auth_time"]}
    return provider


def oidc_of(provider: Provider, clock: Any = lambda: datetime.now(UTC)) -> Oidc:
    return Oidc(provider.settings, ISSUER, Sealer(lambda: ["key"], "oidc"), clock, httpx.MockTransport(provider))


async def sign_in(provider: Provider, clock: Any = lambda: datetime.now(UTC), **answer: str) -> str:
    """The subject that the console believes."""
    oidc = oidc_of(provider, clock)
    address, cookie = await oidc.begin(CALLBACK, "/plan")
    asked = {name: texts[0] for name, texts in parse_qs(urlsplit(address).query).items()}
    assert asked["redirect_uri"] == CALLBACK
    provider.nonce, provider.challenge = asked["nonce"], asked["code_challenge"]
    try:
        found = await oidc.finish(cookie, {"state": asked["state"], "code": "c", **answer}, CALLBACK)
    finally:
        await oidc.close()
    assert found.back == "/plan"
    return found.subject


@every(
    ("changes", "answer"),
    [
        ({"claims": {"nonce": "of another sign-in"}}, {}),
        ({"claims": {"nonce": None}}, {}),
        ({"claims": {"aud": "another-client"}}, {}),
        ({"claims": {"aud": ["yesser-console", "another-client"]}}, {}),
        ({"claims": {"azp": "another-client"}}, {}),
        ({"claims": {"iss": "http://127.0.0.1:9"}}, {}),
        ({"claims": {"exp": SECONDS - 3_600}}, {}),
        ({"claims": {"exp": None}}, {}),
        ({"claims": {"sub": None}}, {}),
        ({"claims": {"at_hash": "of-another-token"}}, {}),
        ({"claims": {"amr": "hwk pin"}, "required": ALL}, {}),
        ({"claims": {"auth_time": "now"}, "required": ALL}, {}),
        ({"claims": {"acr": 1}, "required": ALL}, {}),
        ({"key": OTHER_KEY}, {}),
        ({"kid": "of an unknown key"}, {}),
        ({"forged": "none"}, {}),
        ({"forged": "HS256"}, {}),
        ({"metadata": {"issuer": "http://127.0.0.1:9"}}, {}),
        ({}, {"state": "another"}),
        ({}, {"state": ""}),
        ({}, {"iss": "http://127.0.0.1:9"}),
    ],
)
async def test_a_token_for_something_else_is_not_believed(changes: dict[str, Any], answer: dict[str, str]) -> None:
    with pytest.raises(SignInFailed):
        await sign_in(provider_with(**changes), **answer)


async def test_a_provider_that_fails_is_away_and_a_sign_in_is_finished_within_ten_minutes() -> None:
    with pytest.raises(ProviderAway):
        await sign_in(provider_with(status=503))
    times = iter([NOW, NOW.replace(year=NOW.year + 1)])
    with pytest.raises(SignInFailed):
        await sign_in(Provider(), lambda: next(times))


def test_what_is_required_is_asked_for() -> None:
    assert Required.of(Settings(**ALL)).parameters() == {"acr_values": "high higher", "max_age": "300"}
    assert Required.of(Settings()).parameters() == {}
    assert Required.of(Settings(console_oidc_max_age_s=0)).parameters() == {"max_age": "0"}


@every(
    ("required", "claims"),
    [
        (ACR, {"acr": "higher"}),
        (AMR, {"amr": ["pin", "hwk", "user"]}),
        (MAX_AGE, {"auth_time": -200}),
        (MAX_AGE, {"auth_time": -310}),  # within the skew
        (MAX_AGE, {"auth_time": 10}),
        ({}, {}),
    ],
)
async def test_a_sign_in_as_required_is_accepted(required: dict[str, Any], claims: dict[str, Any]) -> None:
    assert await sign_in(provider_with(required, claims=claims)) == "sub-1"


@every(
    ("required", "claims", "claim"),
    [
        (ACR, {}, "acr"),
        (ACR, {"acr": "low"}, "acr"),
        (ACR, {"acr": "high higher"}, "acr"),
        (ACR, {"acr": ["high"]}, "acr"),
        (AMR, {}, "amr"),
        (AMR, {"amr": ["hwk"]}, "amr"),
        (MAX_AGE, {}, "auth_time"),
        (MAX_AGE, {"auth_time": -400}, "auth_time"),
        (MAX_AGE, {"auth_time": 400}, "auth_time"),
        (ACR | MAX_AGE, {"acr": "high"}, "auth_time"),
    ],
)
async def test_a_weaker_sign_in_is_refused(required: dict[str, Any], claims: dict[str, Any], claim: str) -> None:
    with pytest.raises(SignInTooWeak) as refused:
        await sign_in(provider_with(required, claims=claims))
    assert (refused.value.claim, refused.value.subject) == (claim, "sub-1")


async def logged_out(provider: Provider, token: str) -> SignedOut:
    oidc = oidc_of(provider)
    try:
        return await oidc.signed_out(token)
    finally:
        await oidc.close()


async def test_a_genuine_logout_token_names_whom_it_ends() -> None:
    provider = Provider()
    of_subject = await logged_out(provider, provider.logout_token(sid=None))
    assert (of_subject.subject, of_subject.sid) == ("sub-1", None)
    of_session = await logged_out(provider, provider.logout_token(sub=None))
    assert (of_session.subject, of_session.sid) == (None, sha256(b"session-1").digest())
    assert of_subject.token_sha256 == of_session.token_sha256, "of the same id"
    assert (await logged_out(provider, provider.logout_token(jti="two"))).token_sha256 != of_subject.token_sha256


@every(
    "claims",
    [
        {"iss": "http://127.0.0.1:9"},
        {"aud": "another-client"},
        {"exp": SECONDS - 3_600},
        {"exp": None},
        {"exp": SECONDS + 86_400},
        {"iat": None},
        {"iat": SECONDS + 3_600},
        {"iat": "now"},
        {"jti": None},
        {"jti": 1},
        {"events": None},
        {"events": {}},
        {"events": ["http://schemas.openid.net/event/backchannel-logout"]},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": True}},
        {"nonce": "any"},
        {"sub": None, "sid": None},
        {"sub": 1},
    ],
)
async def test_a_logout_token_that_the_specification_refuses_ends_nothing(claims: dict[str, Any]) -> None:
    provider = Provider()
    with pytest.raises(SignInFailed):
        await logged_out(provider, provider.logout_token(**claims))


async def test_an_id_token_or_a_token_of_another_key_is_no_logout_token_and_that_signs_nobody_in() -> None:
    provider = Provider()
    tokens = [provider.id_token(), "", "a.b.c", jwt.encode({"sub": "sub-1"}, "", "none")]
    provider.key = OTHER_KEY
    for token in (*tokens, provider.logout_token()):
        with pytest.raises(SignInFailed):
            await logged_out(provider, token)
    with pytest.raises(SignInFailed):
        await sign_in(provider_with(token=Provider().logout_token()))
