"""Keys that are text, of the tokens' hashes, of the console's tokens and of webhooks: the current one, the one before
it, the one prepared as the next.

    NAME            hashes, signs and seals what is new
    NAME.previous   `<key> <time>`: what was made with it is valid until this time
    NAME.next       prepared, so that every process knows it before it is used

Those of tokens are in the folder `secrets/tokens`, and all gateways of a platform have the same; those of the console's
tokens in `secrets/console-tokens`, for the console and the gateways; those of accounts in `secrets/accounts`, for the
console and `yesser accounts`; those of webhooks in `secrets/delivery`. Each has the mode 0600.
A file that should exist and does not is an error.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from infra.log.signed_note import InvalidKey
from infra.private_keys.private_file import read_private
from infra.secret_files import ACCOUNTS_KEY, CONSOLE_KEY, ENDPOINT_KEY, next_file, write_private
from infra.settings import Settings

HASH_KEY_FILE: Final = "hash-key"
KEY_BYTES_MIN: Final = 32


@dataclass(frozen=True, slots=True)
class HashKey:
    """One key: text that only its files hold. What was made with it is valid until `until`; None: no end."""

    text: str
    until: datetime | None = None

    def __repr__(self) -> str:
        return f"HashKey({self.key_id})"

    @property
    def secret(self) -> bytes:
        return self.text.encode()

    @property
    def key_id(self) -> str:
        """What the database keeps beside a hash: 8 hexadecimal digits that show nothing of the key."""
        return sha256(b"yesser token hash key\n" + self.secret).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class HashKeys:
    """The keys of one purpose."""

    current: HashKey
    previous: HashKey | None = None
    next: HashKey | None = None

    def valid(self, now: datetime, key_id: str | None = None) -> Sequence[HashKey]:
        """The keys of which something is valid, the current one first; with `key_id` only the one with this id."""
        return [
            key
            for key in (self.current, self.previous, self.next)
            if key and (key.until is None or now < key.until) and key_id in (None, key.key_id)
        ]


@dataclass(frozen=True, slots=True)
class HashKeyFiles:
    """The files of the keys: `current` and its neighbours.

    `is_mounted`: a container's runtime mounts them, readable to its only user whatever their mode is. `loss` is what a
    new key in place of a lost one would do.
    """

    current: Path
    is_mounted: bool = False
    loss: str = "no token that was issued would be valid"

    @property
    def previous(self) -> Path:
        return self.current.with_name(f"{self.current.name}.previous")

    @property
    def next(self) -> Path:
        return next_file(self.current)


def hash_key_files(settings: Settings) -> HashKeyFiles:
    return HashKeyFiles(settings.secrets_folder / "tokens" / HASH_KEY_FILE, is_mounted=settings.secrets is not None)


def endpoint_key_files(settings: Settings) -> HashKeyFiles:
    """The file of the key for which the secrets of webhooks are sealed."""
    path = settings.secret_path(ENDPOINT_KEY, "delivery")
    return HashKeyFiles(path, settings.secrets is not None, "no stored secret of a webhook could be opened")


def console_key_files(settings: Settings) -> HashKeyFiles:
    """The files of the keys by which the console signs what it sends to the gateway for the people who use it."""
    return HashKeyFiles(settings.secret_path(*CONSOLE_KEY), settings.secrets is not None, "the console sent nothing")


def accounts_key_files(settings: Settings, path: Path | None = None) -> HashKeyFiles:
    """The files of the keys that seal accounts and sessions: `path`, or those of the settings."""
    current = path or settings.secret_path(*ACCOUNTS_KEY)
    return HashKeyFiles(current, settings.secrets is not None, "no account could sign in")


def new_hash_key() -> HashKey:
    return HashKey(secrets.token_urlsafe(32))


def load_hash_keys(files: HashKeyFiles) -> HashKeys:
    """The keys of the files. Raises `InvalidKey`."""
    # A rotation writes them in the opposite order, so that one that ends meanwhile hides no key from its reader.
    prepared, current, previous = (read_hash_key(files, path) for path in (files.next, files.current, files.previous))
    if current is None:
        raise InvalidKey(
            f"{files.current} is gone: put the file back from its copy (`yesser keys import`); "
            f"with a new key {files.loss}"
        )
    # Written as the current one, and not yet removed as the next one: a rotation that was interrupted at its end.
    return HashKeys(current, previous, None if prepared == current else prepared)


def load_or_create_hash_keys(files: HashKeyFiles) -> HashKeys:
    """Like `load_hash_keys`; the first key is created where there was none."""
    if not any(path.exists() for path in (files.current, files.previous, files.next)):
        files.current.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(files.current, new_hash_key().text)
    return load_hash_keys(files)


def write_rotated(files: HashKeyFiles, keys: HashKeys) -> None:
    """Store the keys after a rotation: first the key that is replaced, then its successor."""
    if keys.previous is not None and keys.previous.until is not None:
        until = keys.previous.until.astimezone(UTC).isoformat(timespec="seconds")
        write_private(files.previous, f"{keys.previous.text} {until}")
    write_private(files.current, keys.current.text)
    files.next.unlink(missing_ok=True)


def read_hash_key(files: HashKeyFiles, path: Path) -> HashKey | None:
    """The key of one of the files; None where there is none. Raises `InvalidKey`."""
    text = read_private(path, any_mode=files.is_mounted)
    if text is None:
        return None
    key, _, until = text.partition(" ")
    try:
        if len(key) < KEY_BYTES_MIN or not key.isascii():
            raise ValueError(f"a key has {KEY_BYTES_MIN} characters at least")
        return HashKey(key, datetime.fromisoformat(until) if until else None)
    except ValueError as error:
        raise InvalidKey(f"{path} holds no key ({error}): put the file back from its copy") from error
