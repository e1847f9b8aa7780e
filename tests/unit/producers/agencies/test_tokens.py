"""Tokens: what they look like, and what the database knows of them."""

from __future__ import annotations

from pathlib import Path

from infra.settings import Settings
from producers.agencies.tokens import hash_key, key_id_of, keyed_hash, random_token
from producers.gateway.access.jwt_tokens import claims_of
from tests.every import every


def test_a_token_has_its_key_id_in_it_and_256_random_bits() -> None:
    key_id, token = random_token()
    assert key_id_of(token) == key_id
    assert len(token.rpartition("_")[2]) == 64
    assert random_token()[1][-64:] != token[-64:]
    for text in ("", "yat_", "yat_abc_def", "Bearer x", "yat_" + "a" * 10 + "_" + "g" * 64):
        assert key_id_of(text) is None, text


def test_the_hash_needs_the_key_which_only_its_owner_can_read(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    key = hash_key(settings)
    assert hash_key(settings) == key
    assert (tmp_path / "secrets" / "tokens" / "hash-key").stat().st_mode & 0o777 == 0o600
    assert keyed_hash("yat_x", key) != keyed_hash("yat_x", b"another")


def test_a_jwt_gives_what_it_names_and_no_scope_that_does_not_exist() -> None:
    found = claims_of({"yesser": {"kind": "agency", "holder": "health"}, "scope": "events:write openid"})
    assert found is not None
    assert (found.kind, found.holder, found.scopes) == ("agency", "health", frozenset({"events:write"}))
    ours = {"kind": "partner", "holder": "ACME", "partners": ["health/ACME", "labour/A-17"]}
    found = claims_of({"yesser": ours, "scope": "partnerships:read"})
    assert found is not None
    assert found.partners == ("health/ACME", "labour/A-17")


@every(
    "claims",
    [
        {"yesser": {"kind": "partner", "holder": "ACME", "partners": "health/ACME"}},
        {"yesser": {"kind": "partner", "holder": "ACME", "partners": [1]}},
        {},
        {"yesser": "health"},
        {"yesser": {"kind": "platform", "holder": "platform"}},
        {"yesser": {"kind": ["agency"], "holder": "health"}},
        {"yesser": {"kind": "agency", "holder": 1}},
        {"yesser": {"kind": "agency", "holder": "health"}, "scope": ["events:write"]},
    ],
)
def test_a_jwt_that_names_nobody_of_ours_gives_nothing(claims: dict[str, object]) -> None:
    assert claims_of(claims) is None
