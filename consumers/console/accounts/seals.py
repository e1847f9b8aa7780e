"""Seals of accounts and sessions: without the key nobody changes in the database what an account may do, adds one, or
begins a session for one.

Flows in: rows of `console.account` and `console.session`, and the key, a file that only the console and `yesser
accounts` have. Flows out: a keyed hash of what a row says.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from events.wire.codec import canonical_bytes
from infra.keys.hash_keys import HashKeyFiles, load_hash_keys
from infra.secret_files import ACCOUNTS_KEY
from infra.settings import Settings

_MEMBERS: Final = ("username", "role", "holder", "team", "password_hash", "oidc_subject")


class Seals:
    """Makes and compares seals under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, settings: Settings) -> Seals:
        """Raises `InvalidKey` where the key's file is gone or is none."""
        files = HashKeyFiles(
            settings.secret_path(*ACCOUNTS_KEY), settings.secrets is not None, "no account could sign in"
        )
        return cls(load_hash_keys(files).current.secret)

    def of_account(self, row: Mapping[str, Any]) -> bytes:
        """The seal of an account: who it is, what it may do, how it signs in, and whether it is disabled."""
        members = {name: row[name] for name in _MEMBERS}
        members |= {"partners": sorted(row["partners"]), "is_disabled": row["disabled_at"] is not None}
        return self._hash(b"account/", members)

    def of_session(self, digest: bytes, username: str, csrf: str, created_at: datetime) -> bytes:
        """The seal of a session. `digest` is the hash of its cookie's value."""
        created = created_at.astimezone(UTC).isoformat(timespec="microseconds")
        members = {"session_sha256": digest.hex(), "username": username, "csrf": csrf, "created_at": created}
        return self._hash(b"session/", members)

    def is_account(self, row: Mapping[str, Any]) -> bool:
        """Whether the account's row has its seal."""
        return row["seal"] is not None and hmac.compare_digest(row["seal"], self.of_account(row))

    def is_session(self, row: Mapping[str, Any]) -> bool:
        """Whether the session's row, joined with its account, has the seal of the session."""
        expected = self.of_session(row["session_sha256"], row["username"], row["csrf"], row["created_at"])
        return row["session_seal"] is not None and hmac.compare_digest(row["session_seal"], expected)

    def _hash(self, purpose: bytes, members: dict[str, Any]) -> bytes:
        return hmac.new(self._key, purpose + canonical_bytes(members), sha256).digest()
