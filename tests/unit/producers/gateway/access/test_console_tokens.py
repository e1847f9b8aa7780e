"""The gateway accepts the console's tokens for a minute, and no others under its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from infra.http.console_tokens import ISSUER, Sending, console_token
from infra.keys.hash_keys import HashKeyFiles, load_hash_keys
from infra.keys.rotation import prepare_hash_key, rotate_hash_key
from infra.secret_files import write_private
from producers.gateway.access.jwt_tokens import ConsoleIssuer
from tests.every import every
from tests.world.processes import Clock

KEY, AUDIENCE = "k" * 64, "yesser-gateway"
SENDING = Sending("press", "team", "health")


@pytest.fixture
def files(tmp_path: Path) -> HashKeyFiles:
    write_private(tmp_path / "key", KEY)
    return HashKeyFiles(tmp_path / "key")


def gateway_of(files: HashKeyFiles, clock: Clock[datetime] | None = None) -> ConsoleIssuer:
    return ConsoleIssuer(files, AUDIENCE, clock or Clock(datetime.now(UTC)))


def token(now: datetime | None = None, key: str = KEY, audience: str = AUDIENCE) -> str:
    return console_token(key, SENDING, audience, now or datetime.now(UTC))


def signed(key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    """A token of which some claims are others; one that is None is left out."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": 9_999_999_999, "sub": "press", "role": "team", "holder": "health"}
    return jwt.encode({k: v for k, v in (claims | changes).items() if v is not None}, key, algorithm)


def test_a_new_keys_token_is_valid_at_once_and_an_old_keys_in_the_overlap(files: HashKeyFiles) -> None:
    clock = Clock(datetime.now(UTC))
    gateway = gateway_of(files, clock)
    assert gateway.read(token()) == gateway.read(signed()) == SENDING
    prepare_hash_key(files)
    prepared = load_hash_keys(files).next
    assert prepared is not None
    assert gateway.read(signed(prepared.text)) == SENDING, "of a console that began before this gateway"
    rotate_hash_key(files, 1, clock())
    assert load_hash_keys(files).current.text == prepared.text
    assert gateway.read(signed(prepared.text)) == gateway.read(signed()) == SENDING
    gateway.read_keys()  # as the gateway does every few seconds
    clock.now += timedelta(days=1)
    assert gateway.read(signed(prepared.text)) == SENDING
    assert gateway.read(signed()) is None


@every(
    "given",
    lambda: [
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
)
def test_another_token_is_not_valid(given: str, files: HashKeyFiles) -> None:
    assert gateway_of(files).read(given) is None
