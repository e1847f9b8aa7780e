"""Seals of rows: without the key nobody changes in the database what a token or an account may do, adds one, begins a
session for one, or approves what needs two people.

Flows in: rows of `platform.token`, `console.account`, `console.session` and `console.approval`, and a key: the one that
hashes tokens (`infra.keys.hash_keys`), or the file that the console, and the commands that change accounts or need an
approval have. Flows out: a keyed hash of what a row says.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from events.wire.codec import canonical_bytes
from infra.clock import Clock, utc_now
from infra.keys.hash_keys import HashKey, HashKeyFiles, HashKeys, accounts_key_files, load_hash_keys
from infra.settings import Settings

Members: TypeAlias = dict[str, str | int | list[str] | None]
"""What a seal covers of a row, by name."""
_MEMBERS: Final = ("username", "role", "holder", "team", "oidc_subject")
_APPROVAL: Final = ("approval_id", "act", "arguments", "role", "operator", "first_by", "second_by")
_APPROVAL_TIMES: Final = ("requested_at", "first_at", "second_at")


@dataclass(frozen=True, slots=True)
class SealKeyFiles:
    """The files of the keys of seals that an auditor names; None: those of the settings, if they are here."""

    accounts: Path | None = None
    tokens: Path | None = None
    teams: Path | None = None

    @property
    def any(self) -> bool:
        return any((self.accounts, self.tokens, self.teams))


class Seals:
    """Makes seals under a key, and compares them with that of each key that is valid.

    With `files`, which `of` gives, it follows a rotation: it reads them before it makes a seal, and again where none of
    the keys that it knows made one.
    """

    def __init__(
        self,
        key: bytes,
        files: HashKeyFiles | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._keys = HashKeys(HashKey(key.decode()))
        self._files = files
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings, path: Path | None = None) -> Seals:
        """Seals under the accounts' key, from the file `path` or the one of the settings.

        Raises `InvalidKey` where the file is gone or holds no key.
        """
        files = accounts_key_files(settings, path)
        return cls(load_hash_keys(files).current.secret, files)

    def of_account(self, row: Mapping[str, Any]) -> bytes:
        """The seal of an account: who it is, what it may do, how it signs in, and whether it is disabled.

        `row` has the `password_hash`, or only its hash, `password_sha256`, which is all that an auditor reads. The mark
        of a first password is a member where it is set: rows of before there was one keep their seals.
        """
        return self.seal(b"account/", _account(row))

    def of_session(
        self, digest: bytes, username: str, csrf: str, created_at: datetime, sid_sha256: bytes | None = None
    ) -> bytes:
        """The seal of a session. `digest` is the hash of its cookie's value, `sid_sha256` that of the id of the
        provider's session, a member where it came from one."""
        return self.seal(b"session/", _session(digest, username, csrf, created_at, sid_sha256))

    def of_token(self, row: Mapping[str, Any]) -> bytes:
        """The seal of a token: its hash with its holder, kind, scopes, partners and expiry."""
        return self.seal(b"seal/", _token(row))

    def of_approval(self, row: Mapping[str, Any]) -> bytes:
        """The seal of an approval: what it is for, who asked for it, and who confirmed it when."""
        return self.seal(b"approval/", _approval(row))

    def is_account(self, row: Mapping[str, Any]) -> bool:
        """Whether the account's row has its seal."""
        return self.is_seal(row["seal"], b"account/", _account(row))

    def is_approval(self, row: Mapping[str, Any]) -> bool:
        """Whether the approval's row has its seal."""
        return self.is_seal(row["seal"], b"approval/", _approval(row))

    def is_session(self, row: Mapping[str, Any]) -> bool:
        """Whether the session's row, joined with its account, has the seal of the session."""
        members = [row[name] for name in ("session_sha256", "username", "csrf", "created_at", "sid_sha256")]
        return self.is_seal(row["session_seal"], b"session/", _session(*members))

    def is_token(self, row: Mapping[str, Any]) -> bool:
        """Whether the token's row has its seal."""
        return self.is_seal(row["seal"], b"seal/", _token(row))

    def seal(self, purpose: bytes, members: Members) -> bytes:
        """The seal of these members for one purpose, which ends with a slash."""
        self._read()
        return _hash(self._keys.current, purpose, members)

    def is_seal(self, seal: bytes | None, purpose: bytes, members: Members) -> bool:
        """Whether it is their seal."""

        def matches() -> bool:
            valid = self._keys.valid(self._clock())
            return seal is not None and any(hmac.compare_digest(seal, _hash(key, purpose, members)) for key in valid)

        return matches() or (self._read() and matches())

    def _read(self) -> bool:
        """Whether the files have other keys than before."""
        before = self._keys
        self._keys = before if self._files is None else load_hash_keys(self._files)
        return self._keys != before


def _account(row: Mapping[str, Any]) -> Members:
    members: Members = {name: row[name] for name in _MEMBERS}
    digest = row["password_sha256"] if "password_sha256" in row else _digest(row["password_hash"])
    members |= {"partners": sorted(row["partners"]), "is_disabled": row["disabled_at"] is not None}
    members |= {"password_sha256": None if digest is None else digest.hex()}
    members |= {"must_change_password": True} if row["must_change_password"] else {}
    return members


def _approval(row: Mapping[str, Any]) -> Members:
    members = {name: row[name] for name in _APPROVAL}
    return members | {name: row[name] and _time(row[name]) for name in _APPROVAL_TIMES}


def _session(digest: bytes, username: str, csrf: str, created_at: datetime, sid_sha256: bytes | None) -> Members:
    members: Members = {"session_sha256": digest.hex(), "username": username, "csrf": csrf}
    members["created_at"] = _time(created_at)
    return members if sid_sha256 is None else members | {"sid_sha256": sid_sha256.hex()}


def _token(row: Mapping[str, Any]) -> Members:
    return {
        "key_id": row["key_id"],
        "kind": row["kind"],
        "holder": row["holder"],
        "scopes": sorted(row["scopes"]),
        "partners": sorted(row["partners"]),
        "expires_at": _time(row["expires_at"]),
        "keyed_hash": bytes(row["keyed_hash"]).hex(),
    }


def _hash(key: HashKey, purpose: bytes, members: Members) -> bytes:
    return hmac.new(key.secret, purpose + canonical_bytes(members), sha256).digest()


def _digest(password_hash: str | None) -> bytes | None:
    return None if password_hash is None else sha256(password_hash.encode()).digest()


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")
