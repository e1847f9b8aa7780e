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

from consumers.console.accounts.oidc import Oidc, ProviderAway, SignInFailed
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
        return httpx.Response(200, json={"access_token": "a", "id_token": self.id_token()})

    def id_token(self) -> str:
        seconds = int(datetime.now(UTC).timestamp())
        claims = {"iss": ISSUER, "sub": "sub-1", "aud": "yesser-console", "iat": seconds, "exp": seconds + 60}
        claims = {**claims, "nonce": self.nonce, **self.claims}
        kept = {name: value for name, value in claims.items() if value is not None}
        if self.forged:
            signed = _part({"alg": self.forged, "kid": self.kid}) + b"." + _part(kept)
            signature = b"" if self.forged == "none" else hmac.digest(PUBLIC, signed, "sha256")
            return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()
        return jwt.encode(kept, self.key, self.algorithm, headers={"kid": self.kid})


async def sign_in(provider: Provider, clock: Any = lambda: datetime.now(UTC), **answer: str) -> str:
    """The subject that the console believes."""
    oidc = Oidc(Settings(), ISSUER, Sealer(lambda: ["key"], "oidc"), clock, httpx.MockTransport(provider))
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
