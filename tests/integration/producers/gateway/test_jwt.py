"""OAuth 2 access tokens of a local issuer, whose keys the gateway fetches over real HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.http.callers import Caller
from infra.http.problems import Problem
from infra.postgres.connection import Connection, Pool
from infra.settings import Settings
from producers.gateway.access.callers import Access
from tests.world.files import served
from tests.world.senders import REGISTER

ISSUER = "https://issuer.example"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(key: rsa.RSAPrivateKey = KEY, **changes: Any) -> str:
    """A token of the issuer, in which some claims are others; one that is None is left out."""
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
async def access(settings: Settings, pool: Pool, connection: Connection, tmp_path: Path) -> AsyncIterator[Access]:
    await connection.execute(REGISTER, "health", "agency")
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    (tmp_path / "jwks").write_text(json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}))
    with served(tmp_path) as address:
        update = {"gateway_jwt_issuer": ISSUER, "gateway_jwks_address": f"{address}jwks"}
        yield Access(settings.model_copy(update=update), pool)


async def authenticate(access: Access, token: str) -> Caller:
    return await access.authenticate([(b"authorization", f"Bearer {token}".encode())], "127.0.0.1")


async def test_a_jwt_counts_only_if_all_of_it_is_right(access: Access, settings: Settings, pool: Pool) -> None:
    caller = await authenticate(access, signed(scope="events:write log:read admin"))
    assert (caller.kind, caller.holder) == ("agency", "health")
    assert caller.scopes == frozenset({"events:write"}), "no more than its kind can have"
    assert caller.require_agency().source == "urn:yesser:agency:health"
    await authenticate(access, signed(scope="events:read"))
    now = int(time.time())
    wrong = [
        signed(key=OTHER_KEY),
        signed(iss="https://another.example"),
        signed(aud="another"),
        signed(exp=now - 60),
        signed(exp=None),
        signed(nbf=now + 600),
        signed(yesser={"kind": "office", "holder": "health"}),
        signed(yesser={"kind": "agency", "holder": "unregistered"}),
        signed(yesser={"kind": "platform", "holder": "platform"}),
        signed()[:-4] + "AAAA",
    ]
    for one, token in [*((access, token) for token in wrong), (Access(settings, pool), signed())]:
        with pytest.raises(Problem) as caught:
            await authenticate(one, token)
        assert caught.value.code == "unauthenticated", token
