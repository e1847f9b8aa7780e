"""Seals of rows: without the key nobody changes in the database what a token or an account may do, adds one, begins a
session for one, or approves what needs two people.

Flows in: rows of `platform.token`, `console.account`, `console.session` and `console.approval`, and a key: the one that
hashes tokens (`infra.keys.hash_keys`), or the file that the console, and the commands that change accounts or need an
approval have. Flows out: a keyed hash of what a row says.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from events.wire.codec import canonical_bytes
from infra.keys.hash_keys import HashKeyFiles, load_hash_keys
from infra.secret_files import ACCOUNTS_KEY
from infra.settings import Settings

_MEMBERS: Final = ("username", "role", "holder", "team", "oidc_subject")
_APPROVAL: Final = ("approval_id", "act", "arguments", "role", "operator", "first_by", "second_by")
_APPROVAL_TIMES: Final = ("requested_at", "first_at", "second_at")


class Seals:
    """Makes and compares seals under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, settings: Settings, path: Path | None = None) -> Seals:
        """Seals under the accounts' key, from the file `path` or the one of the settings.

        Raises `InvalidKey` where the file is gone or holds no key.
        """
        files = HashKeyFiles(
            path or settings.secret_path(*ACCOUNTS_KEY), settings.secrets is not None, "no account could sign in"
        )
        return cls(load_hash_keys(files).current.secret)

    def of_account(self, row: Mapping[str, Any]) -> bytes:
        """The seal of an account: who it is, what it may do, how it signs in, and whether it is disabled.

        `row` has the `password_hash`, or only its hash, `password_sha256`, which is all that an auditor reads.
        """
        members = {name: row[name] for name in _MEMBERS}
        digest = row["password_sha256"] if "password_sha256" in row else _digest(row["password_hash"])
        members |= {"partners": sorted(row["partners"]), "is_disabled": row["disabled_at"] is not None}
        members |= {"password_sha256": digest and digest.hex()}
        return self._hash(b"account/", members)

    def of_session(self, digest: bytes, username: str, csrf: str, created_at: datetime) -> bytes:
        """The seal of a session. `digest` is the hash of its cookie's value."""
        members = {"session_sha256": digest.hex(), "username": username, "csrf": csrf, "created_at": _time(created_at)}
        return self._hash(b"session/", members)

    def of_token(self, row: Mapping[str, Any]) -> bytes:
        """The seal of a token: its hash with its holder, kind, scopes, partners and expiry."""
        members = {
            "key_id": row["key_id"],
            "kind": row["kind"],
            "holder": row["holder"],
            "scopes": sorted(row["scopes"]),
            "partners": sorted(row["partners"]),
            "expires_at": _time(row["expires_at"]),
            "keyed_hash": bytes(row["keyed_hash"]).hex(),
        }
        return self._hash(b"seal/", members)

    def of_approval(self, row: Mapping[str, Any]) -> bytes:
        """The seal of an approval: what it is for, who asked for it, and who confirmed it when."""
        members = {name: row[name] for name in _APPROVAL}
        members |= {name: row[name] and _time(row[name]) for name in _APPROVAL_TIMES}
        return self._hash(b"approval/", members)

    def is_account(self, row: Mapping[str, Any]) -> bool:
        """Whether the account's row has its seal."""
        return _equal(row["seal"], self.of_account(row))

    def is_approval(self, row: Mapping[str, Any]) -> bool:
        """Whether the approval's row has its seal."""
        return _equal(row["seal"], self.of_approval(row))

    def is_session(self, row: Mapping[str, Any]) -> bool:
        """Whether the session's row, joined with its account, has the seal of the session."""
        expected = self.of_session(row["session_sha256"], row["username"], row["csrf"], row["created_at"])
        return _equal(row["session_seal"], expected)

    def is_token(self, row: Mapping[str, Any]) -> bool:
        """Whether the token's row has its seal."""
        return _equal(row["seal"], self.of_token(row))

    def _hash(self, purpose: bytes, members: dict[str, Any]) -> bytes:
        return hmac.new(self._key, purpose + canonical_bytes(members), sha256).digest()


def _equal(seal: bytes | None, expected: bytes) -> bool:
    return seal is not None and hmac.compare_digest(seal, expected)


def _digest(password_hash: str | None) -> bytes | None:
    return None if password_hash is None else sha256(password_hash.encode()).digest()


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")
