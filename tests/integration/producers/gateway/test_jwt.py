"""OAuth 2 access tokens of a local issuer, whose keys the gateway fetches over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.http.callers import Caller
from infra.http.problems import Problem
from infra.postgres.connection import Connection, Pool
from infra.settings import Settings
from producers.gateway.access.callers import Access
from tests.world.senders import REGISTER

ISSUER = "https://issuer.example"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """Publishes one key."""

    asked: list[str] = field(default_factory=list)
    address: str = ""

    def token(self, key: rsa.RSAPrivateKey = KEY, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": "yesser-gateway",
            "exp": int(time.time()) + 60,
            "scope": "events:write",
            "yesser": {"kind": "agency", "holder": "health"},
            **changes,
        }
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, key, algorithm="RS256", headers={"kid": "k1"})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    found = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            body = json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.address = f"http://127.0.0.1:{server.server_address[1]}/jwks"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
async def access(settings: Settings, pool: Pool, connection: Connection, issuer: Issuer) -> Access:
    await connection.execute(REGISTER, "health", "agency")
    update = {"gateway_jwt_issuer": ISSUER, "gateway_jwks_address": issuer.address}
    return Access(settings.model_copy(update=update), pool)


async def authenticate(access: Access, token: str) -> Caller:
    return await access.authenticate([(b"authorization", f"Bearer {token}".encode())], "127.0.0.1")


async def test_a_token_of_the_issuer_counts_only_if_it_is_exactly_right(
    access: Access, issuer: Issuer, settings: Settings, pool: Pool
) -> None:
    caller = await authenticate(access, issuer.token(scope="events:write log:read admin"))
    assert (caller.kind, caller.holder) == ("agency", "health")
    assert caller.scopes == frozenset({"events:write"}), "no more than its kind can have"
    assert caller.require_agency().source == "urn:yesser:agency:health"
    await authenticate(access, issuer.token(scope="events:read"))
    assert len(issuer.asked) == 1, "the keys are kept"
    now = int(time.time())
    wrong = [
        issuer.token(key=OTHER_KEY),
        issuer.token(iss="https://another.example"),
        issuer.token(aud="another"),
        issuer.token(exp=now - 60),
        issuer.token(exp=None),
        issuer.token(nbf=now + 600),
        issuer.token(yesser={"kind": "office", "holder": "health"}),
        issuer.token(yesser={"kind": "agency", "holder": "unregistered"}),
        issuer.token(yesser={"kind": "platform", "holder": "platform"}),
        issuer.token()[:-4] + "AAAA",
    ]
    for one, token in [*((access, token) for token in wrong), (Access(settings, pool), issuer.token())]:
        with pytest.raises(Problem) as caught:
            await authenticate(one, token)
        assert caught.value.code == "unauthenticated", token
