"""An identity provider: what it signs, and what a test changes in it."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from infra.settings import Settings

ISSUER = "http://127.0.0.1:1"
KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


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
        return self._signed({**claims, "nonce": self.nonce, **self.claims})

    def logout_token(self, **changes: Any) -> str:
        seconds = int(datetime.now(UTC).timestamp())
        claims: dict[str, Any] = {"iss": ISSUER, "sub": "sub-1", "aud": "yesser-console", "iat": seconds}
        claims |= {"exp": seconds + 60, "jti": "one", "sid": "session-1"}
        claims["events"] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        return self._signed(claims | changes)

    def _signed(self, claims: dict[str, Any]) -> str:
        kept = {name: value for name, value in claims.items() if value is not None}
        if self.forged:
            signed = b".".join(
                urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
                for part in ({"alg": self.forged, "kid": self.kid}, kept)
            )
            signature = b"" if self.forged == "none" else hmac.digest(PUBLIC, signed, "sha256")
            return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()
        return jwt.encode(kept, self.key, self.algorithm, headers={"kid": self.kid})
