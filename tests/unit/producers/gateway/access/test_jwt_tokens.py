"""JWTs that are not valid, in every way that a client without a key can write one: no error, and nobody."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from producers.gateway.access.jwt_tokens import IssuerKeys, JwtIssuer
from tests.every import every

ISSUER, AUDIENCE = "https://issuer.example", "yesser-gateway"
KEYS: dict[str, Any] = {
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}
GOOD = {"rsa": ("RS256", "PS256"), "p256": ("ES256",), "ed25519": ("EdDSA",)}
ALGORITHMS = sorted(jwt.algorithms.get_default_algorithms())
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "exp": 4_000_000_000,
    "scope": "events:write",
    "yesser": {"kind": "agency", "holder": "health"},
}


def public_jwk(name: str) -> dict[str, Any]:
    algorithm = {"rsa": "RS256", "p256": "ES256", "p384": "ES384", "ed25519": "EdDSA"}[name]
    implementation: Any = jwt.get_algorithm_by_name(algorithm)
    return {**json.loads(implementation.to_jwk(KEYS[name].public_key())), "kid": name, "use": "sig"}


class Client:
    """The issuer's keys without an issuer."""

    def __init__(self) -> None:
        self.fetched = 0
        self.error: Exception | None = None

    def get_signing_keys(self, refresh: bool = False) -> list[jwt.PyJWK]:
        self.fetched += 1
        if self.error is not None:
            raise self.error
        return jwt.PyJWKSet.from_dict({"keys": [public_jwk(name) for name in KEYS]}).keys


class Scene:
    """An issuer with a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.client = Client()
        keys = IssuerKeys(cast(jwt.PyJWKClient, self.client), lambda: self.now)
        self.issuer = JwtIssuer(ISSUER, AUDIENCE, keys)


def part(document: object) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(header: object, claims: object = CLAIMS, signature: bytes = b"x" * 64) -> str:
    return f"{part(header)}.{part(claims)}.{part(signature)}"


@every(("name", "algorithm"), [(name, one) for name, all_ in GOOD.items() for one in all_])
async def test_each_algorithm_of_a_key_is_taken(name: str, algorithm: str) -> None:
    claims = await Scene().issuer.read(jwt.encode(CLAIMS, KEYS[name], algorithm=algorithm, headers={"kid": name}))
    assert claims is not None
    assert (claims.kind, claims.holder) == ("agency", "health")


@every("name", KEYS)
@every("algorithm", [*ALGORITHMS, "", "none", "NONE", "HS256 ", "RSA"])
async def test_a_header_that_names_a_key_of_another_kind_gives_nothing(name: str, algorithm: str) -> None:
    for signature in (b"", b"x" * 64, b"x" * 256, b"\0" * 64):
        assert await Scene().issuer.read(token({"alg": algorithm, "kid": name}, signature=signature)) is None


@every("name", KEYS)
async def test_a_public_key_is_no_secret_to_sign_with(name: str) -> None:
    pem = KEYS[name].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = f"{part({'alg': 'HS256', 'kid': name})}.{part(CLAIMS)}"
    hashed: Any = jwt.get_algorithm_by_name("HS256")
    signature = hashed.sign(head.encode(), pem)
    assert await Scene().issuer.read(f"{head}.{part(signature)}") is None


@every(
    "header",
    [
        {"kid": "rsa"},
        {"alg": "RS256"},
        {"alg": None, "kid": "rsa"},
        {"alg": ["RS256"], "kid": "rsa"},
        {"alg": "RS256", "kid": ["rsa"]},
        {"alg": "RS256", "kid": {"rsa": 1}},
        {"alg": "RS256", "kid": "unknown"},
        {"alg": "RS256", "kid": "rsa", "crit": ["b64"], "b64": False},
        {"alg": "RS256", "kid": "rsa", "crit": ["x"], "x": 1},
        {"alg": "RS256", "kid": "rsa", "jku": "http://127.0.0.1:1/", "jwk": {}},
        b'{"alg":"RS256","kid":"rsa","x":' + b"[" * 3_000 + b"]" * 3_000 + b"}",
        b"[" * 6_000,
        b"\xff\xfe",
        b"",
        [],
        "RS256",
        1,
        None,
    ],
)
async def test_a_header_that_is_none_gives_nothing(header: object) -> None:
    scene = Scene()
    assert await scene.issuer.read(token(header)) is None
    assert await scene.issuer.read(token(header, claims=b"[" * 3_000)) is None
    assert await scene.issuer.read(token(header, claims=b"\xff")) is None


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
async def test_any_three_parts_give_nothing(first: str, second: str, third: str) -> None:
    assert await Scene().issuer.read(f"{first}.{second}.{third}") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries({"alg": st.sampled_from(ALGORITHMS) | JSON, "kid": st.sampled_from(sorted(KEYS)) | JSON}),
    st.dictionaries(st.sampled_from(["crit", "b64", "typ", "cty", "jku", "x5c"]), JSON),
    st.fixed_dictionaries({}, optional={"exp": JSON, "iss": JSON, "aud": JSON, "nbf": JSON, "iat": JSON}),
    st.binary(max_size=300),
)
async def test_any_unsigned_header_gives_nothing(
    header: dict[str, Any], more: dict[str, Any], claims: dict[str, Any], signature: bytes
) -> None:
    assert await Scene().issuer.read(token({**more, **header}, claims, signature)) is None


async def test_unknown_key_ids_make_the_keys_be_fetched_again_at_most_once_in_a_while() -> None:
    scene, unknown = Scene(), token({"alg": "RS256", "kid": "unknown"})
    for _ in range(100):
        assert await scene.issuer.read(unknown) is None
    assert scene.client.fetched == 1
    scene.now += 11
    await scene.issuer.read(unknown)
    assert scene.client.fetched == 2


@every("error", [jwt.PyJWKClientConnectionError("away"), json.JSONDecodeError("no JSON", "", 0)])
async def test_while_the_issuer_is_away_it_is_asked_rarely_and_nobody_is_called_invalid(error: Exception) -> None:
    scene = Scene()
    scene.client.error = error
    for _ in range(10):
        with pytest.raises(OSError, match="keys"):
            await scene.issuer.read(token({"alg": "RS256", "kid": "rsa"}))
    assert scene.client.fetched == 1
    scene.client.error, scene.now = None, scene.now + 11
    good = jwt.encode(CLAIMS, KEYS["rsa"], algorithm="RS256", headers={"kid": "rsa"})
    assert await scene.issuer.read(good) is not None
