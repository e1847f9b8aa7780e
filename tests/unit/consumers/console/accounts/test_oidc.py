"""What the console believes of an identity provider: only a genuine ID token, for this client and this sign-in."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consumers.console.accounts.oidc import Oidc, ProviderAway, Required, SignedOut, SignInFailed, SignInTooWeak
from consumers.console.accounts.sealing import Sealer
from infra.settings import Settings
from tests.every import every

ISSUER = "http://127.0.0.1:1"
NOW = datetime.now(UTC)
KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CALLBACK = "http://127.0.0.1:2/sign-in/oidc/callback"


class Provider:
    """A provider whose answers a test changes."""

    def __init__(self) -> None:
        self.nonce = ""
        self.challenge = ""
        self.claims: dict[str, Any] = {}
        self.key: Any = KEY
        self.algorithm = "ES256"
        self.kid = "one"
        self.metadata: dict[str, Any] = {}
        self.status = 200
        self.forged = ""
        """An algorithm that needs no private key."""
        self.settings = Settings()
        self.token: str | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/.well-known/openid-configuration":
            paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            found = {"issuer": ISSUER} | {name: ISSUER + path for name, path in paths.items()} | self.metadata
            return httpx.Response(self.status, json=found)
        if request.url.path == "/keys":
            public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
            return httpx.Response(200, json={"keys": [{**public, "kid": "one"}]})
        given = parse_qs(request.content.decode())
        verifier = given["code_verifier"][0]
        assert urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode() == self.challenge
        return httpx.Response(200, json={"access_token": "a", "id_token": self.token or self.id_token()})

    def id_token(self) -> str:
        seconds = int(datetime.now(UTC).timestamp())
        claims = {"iss": ISSUER, "sub": "sub-1", "aud": "yesser-console", "iat": seconds, "exp": seconds + 60}
        claims = {**claims, "nonce": self.nonce, **self.claims}
        return self._signed(claims)

    def logout_token(self, **changes: Any) -> str:
        seconds = int(datetime.now(UTC).timestamp())
        claims: dict[str, Any] = {"iss": ISSUER, "sub": "sub-1", "aud": "yesser-console", "iat": seconds}
        claims |= {"exp": seconds + 60, "jti": "one", "sid": "session-1"}
        claims["events"] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        return self._signed(claims | changes)

    def _signed(self, claims: dict[str, Any]) -> str:
        kept = {name: value for name, value in claims.items() if value is not None}
        if self.forged:
            signed = _part({"alg": self.forged, "kid": self.kid}) + b"." + _part(kept)
            signature = b"" if self.forged == "none" else hmac.digest(PUBLIC, signed, "sha256")
            return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()
        return jwt.encode(kept, self.key, self.algorithm, headers={"kid": self.kid})


async def sign_in(provider: Provider, clock: Any = lambda: datetime.now(UTC), **answer: str) -> str:
    """The subject that the console believes."""
    oidc = Oidc(provider.settings, ISSUER, Sealer(lambda: ["key"], "oidc"), clock, httpx.MockTransport(provider))
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


async def test_a_genuine_token_names_its_subject() -> None:
    assert await sign_in(Provider()) == "sub-1"


@every(
    "claims",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["yesser-console", "another-client"]},
        {"azp": "another-client"},
        {"iss": "http://127.0.0.1:9"},
        {"exp": int(NOW.timestamp()) - 3_600},
        {"exp": None},
        {"sub": None},
        {"at_hash": "of-another-token"},
    ],
)
async def test_a_token_for_something_else_is_not_believed(claims: dict[str, Any]) -> None:
    provider = Provider()
    provider.claims = claims
    with pytest.raises(SignInFailed):
        await sign_in(provider)


async def test_a_signature_of_another_key_is_not_believed() -> None:
    provider = Provider()
    provider.key = OTHER_KEY
    with pytest.raises(SignInFailed):
        await sign_in(provider)


async def test_an_unknown_key_is_not_believed() -> None:
    provider = Provider()
    provider.kid = "two"
    with pytest.raises(SignInFailed):
        await sign_in(provider)


def _part(document: dict[str, Any]) -> bytes:
    return urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_token_that_chooses_a_weaker_algorithm_is_not_believed(algorithm: str) -> None:
    provider = Provider()
    provider.forged = algorithm
    with pytest.raises(SignInFailed):
        await sign_in(provider)


@pytest.mark.parametrize("answer", [{"state": "another"}, {"state": ""}, {"iss": "http://127.0.0.1:9"}])
async def test_an_answer_to_another_question_is_not_believed(answer: dict[str, str]) -> None:
    with pytest.raises(SignInFailed):
        await sign_in(Provider(), **answer)


async def test_a_provider_that_calls_itself_something_else_is_not_believed() -> None:
    provider = Provider()
    provider.metadata = {"issuer": "http://127.0.0.1:9"}
    with pytest.raises(SignInFailed):
        await sign_in(provider)


async def test_a_provider_that_fails_is_away() -> None:
    provider = Provider()
    provider.status = 503
    with pytest.raises(ProviderAway):
        await sign_in(provider)


async def test_a_sign_in_is_finished_within_ten_minutes() -> None:
    times = iter([NOW, NOW.replace(year=NOW.year + 1)])
    with pytest.raises(SignInFailed):
        await sign_in(Provider(), lambda: next(times))


ACR = {"console_oidc_acr_values": "high higher"}
AMR = {"console_oidc_amr": "hwk pin"}
MAX_AGE = {"console_oidc_max_age_s": 300}
SECONDS = int(NOW.timestamp())


def since_now(claims: dict[str, Any]) -> dict[str, Any]:
    """With `auth_time` in seconds after now."""
    seconds = int(datetime.now(UTC).timestamp())
    return claims | ({"auth_time": seconds + claims["auth_time"]} if "auth_time" in claims else {})


def test_what_is_required_is_asked_for() -> None:
    given = Required.of(Settings(**ACR | AMR | MAX_AGE))  # type: ignore[arg-type]
    assert given.parameters() == {"acr_values": "high higher", "max_age": "300"}
    assert Required.of(Settings()).parameters() == {}
    assert Required.of(Settings(console_oidc_max_age_s=0)).parameters() == {"max_age": "0"}


@pytest.mark.parametrize(
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
    provider = Provider()
    provider.claims, provider.settings = since_now(claims), Settings(**required)
    assert await sign_in(provider) == "sub-1"


@pytest.mark.parametrize(
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
async def test_a_sign_in_that_is_weaker_than_required_is_refused(
    required: dict[str, Any], claims: dict[str, Any], claim: str
) -> None:
    provider = Provider()
    provider.claims, provider.settings = since_now(claims), Settings(**required)
    with pytest.raises(SignInTooWeak) as refused:
        await sign_in(provider)
    assert (refused.value.claim, refused.value.subject) == (claim, "sub-1")


@pytest.mark.parametrize("claims", [{"amr": "hwk pin"}, {"auth_time": "now"}, {"acr": 1}])
async def test_a_claim_of_another_type_is_not_believed(claims: dict[str, Any]) -> None:
    provider = Provider()
    provider.claims, provider.settings = claims, Settings(**ACR | AMR | MAX_AGE)  # type: ignore[arg-type]
    with pytest.raises(SignInFailed):
        await sign_in(provider)


async def logged_out(provider: Provider, token: str) -> SignedOut:
    clock = lambda: datetime.now(UTC)  # noqa: E731
    oidc = Oidc(Settings(), ISSUER, Sealer(lambda: ["key"], "oidc"), clock, httpx.MockTransport(provider))
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


@pytest.mark.parametrize(
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


async def test_an_id_token_or_a_token_of_another_key_is_no_logout_token() -> None:
    provider = Provider()
    tokens = [provider.id_token(), "", "a.b.c", jwt.encode({"sub": "sub-1"}, "", "none")]
    provider.key = OTHER_KEY
    for token in (*tokens, provider.logout_token()):
        with pytest.raises(SignInFailed):
            await logged_out(provider, token)


async def test_a_logout_token_signs_nobody_in() -> None:
    provider = Provider()
    provider.token = provider.logout_token()
    with pytest.raises(SignInFailed):
        await sign_in(provider)
