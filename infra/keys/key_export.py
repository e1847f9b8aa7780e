"""Carrying keys to another machine or into safe-keeping: all files of a purpose, as one document.

Flows in: the files of this machine, or a document. Flows out: the other. An import is validated as a whole in a folder
of its own before it changes anything, and no private key of this machine is lost by it unless that was asked for.

The file is a text sealed with a passphrase: Argon2id makes the key, and NaCl's secret box encrypts and authenticates.

    yesser-keys-v1
    <base64 of salt ‖ box, in lines>
    sha256 <hex of salt ‖ box>

The last line only tells a damaged file from a wrong passphrase; whether the content is genuine, the box decides.
"""

from __future__ import annotations

import base64
import binascii
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import orjson
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.utils import random

from events.errors import YesserError
from infra.keys.hash_keys import (
    HashKeyFiles,
    accounts_key_files,
    console_key_files,
    endpoint_key_files,
    hash_key_files,
    load_hash_keys,
    read_hash_key,
)
from infra.keys.team_seals import team_key_files
from infra.log.key_history import Transition, key_name, parse_transitions
from infra.log.signed_note import InvalidKey, InvalidNote
from infra.private_keys.key_files import KeyFiles, gateway_key_files, load_keys, log_key_files, next_key
from infra.private_keys.private_file import read_private
from infra.private_keys.token_key import parse_private_key
from infra.secret_files import write_private
from infra.settings import Settings

Rotated = Literal["log", "gateway", "tokens", "console", "accounts"]
Purpose = Literal[Rotated, "webhooks", "teams"]
ROTATED: Final[tuple[Rotated, ...]] = get_args(Rotated)
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
Files: TypeAlias = KeyFiles | HashKeyFiles
FILES: Final[Mapping[Purpose, Callable[[Settings], Files]]] = {
    "log": log_key_files,
    "gateway": gateway_key_files,
    "tokens": hash_key_files,
    "console": console_key_files,
    "accounts": accounts_key_files,
    "webhooks": endpoint_key_files,
    "teams": team_key_files,
}
"""Where the keys of each purpose are."""
_KIND: Final = "urn:yesser:keys:v1"


class CannotImport(YesserError):
    """The keys cannot be imported; the message says why. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The private keys of one purpose after an import: the new ones, and those that were lost."""

    purpose: Purpose
    new: Sequence[str]
    lost: Sequence[str]


def pack(settings: Settings, purposes: Sequence[Purpose]) -> bytes:
    """The document of all files of these purposes. Raises `InvalidKey` for one whose files are not in order."""
    files = {purpose: _texts(_load(purpose, FILES[purpose](settings))) for purpose in purposes}
    return orjson.dumps({"kind": _KIND, "keys": files})


def here(settings: Settings) -> list[Purpose]:
    """The purposes of which this machine has keys."""
    paths = {purpose: _paths(FILES[purpose](settings)).values() for purpose in PURPOSES}
    return [purpose for purpose in PURPOSES if any(path.exists() for path in paths[purpose])]


def unpack(settings: Settings, content: bytes, *, replace_others: bool) -> list[Imported]:
    """Write the files of a document. Raises `CannotImport`, `CannotOpen` or `InvalidKey` before anything is written."""
    document = _document(content)
    plans = [_plan(settings, purpose, texts, replace_others) for purpose, texts in document.items()]
    for purpose, texts in document.items():
        paths = _paths(FILES[purpose](settings))
        # The history first and the key in use last: at no time does a file name a key that is not there.
        for name in ("history", "previous", "next", "vkey", "current"):
            if name in paths:
                _write(paths[name], texts.get(name))
    return plans


def _plan(settings: Settings, purpose: Purpose, texts: Mapping[str, str], replace_others: bool) -> Imported:
    files = FILES[purpose](settings)
    with _written_elsewhere(files, texts) as brought:
        try:
            new = _private_keys(_load(purpose, brought))
        except (InvalidKey, InvalidNote) as error:
            raise CannotImport(f"the keys of {purpose} in the file are not valid: {error}. {_NOTHING}") from error
        if _is_older(brought, files) and not replace_others:
            raise CannotImport(
                f"the keys of {purpose} in the file are from before a rotation that this machine knows: export them "
                f"again where they are in use; `--replace` undoes the rotation here. {_NOTHING}"
            )
    held = _private_keys(files)
    lost = sorted(held - new)
    if lost and not replace_others:
        raise CannotImport(
            f"{_paths(files)['current'].parent} holds keys that the file lacks ({', '.join(lost)}): what was signed or "
            "issued with them only cannot be continued without them. Export them first; `--replace` deletes them. "
            + _NOTHING
        )
    return Imported(purpose, sorted(new - held), lost)


def _document(content: bytes) -> dict[Purpose, dict[str, str]]:
    try:
        read = orjson.loads(content)
        found = {p: {str(n): str(t) for n, t in read["keys"][p].items()} for p in PURPOSES if p in read["keys"]}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CannotOpen(f"the file does not hold keys. {_NOTHING}") from error
    if read.get("kind") != _KIND or not found:
        raise CannotOpen(f"the file is of another release, or holds no keys. {_NOTHING}")
    return found


@contextmanager
def _written_elsewhere(files: Files, texts: Mapping[str, str]) -> Iterator[Files]:
    with tempfile.TemporaryDirectory(prefix="yesser-keys-") as folder:
        if isinstance(files, KeyFiles):
            elsewhere: Files = replace(files, folder=Path(folder))
        else:
            elsewhere = HashKeyFiles(Path(folder) / files.current.name)
        paths = _paths(elsewhere)
        if unknown := texts.keys() - paths.keys():
            names = ", ".join(sorted(unknown))
            raise CannotOpen(f"the file holds {names}, which this release does not know. {_NOTHING}")
        for name, text in texts.items():
            write_private(paths[name], text)
        yield elsewhere


def _load(purpose: Purpose, files: Files) -> Files:
    """The files, once they are found to be in order."""
    if isinstance(files, KeyFiles):
        load_keys(files)
        next_key(files)
    else:
        load_hash_keys(files)
    return files


def _paths(files: Files) -> dict[str, Path]:
    paths = {"current": files.current, "previous": files.previous, "next": files.next}
    if isinstance(files, KeyFiles):
        paths |= {"vkey": files.vkey, "history": files.history}
    return paths


def _texts(files: Files) -> dict[str, str]:
    return {name: path.read_text(encoding="utf-8") for name, path in _paths(files).items() if path.exists()}


def _private_keys(files: Files) -> set[str]:
    """The names of the private keys in the files; one that cannot be read counts as a key of its own."""
    found = set()
    for path in (files.current, files.previous, files.next):
        try:
            if isinstance(files, HashKeyFiles):
                key = read_hash_key(files, path)
                found |= {key.key_id} if key else set()
            elif (text := read_private(path)) is not None:
                found.add(key_name(parse_private_key(text.partition("\n")[0]).verifier))
        except InvalidKey:
            found.add(f"the unreadable {path.name}")
    return found


def _is_older(brought: Files, held: Files) -> bool:
    """Whether a rotation that `held` has completed is missing in `brought`."""
    if isinstance(brought, KeyFiles) and isinstance(held, KeyFiles):
        known = _rotations(held)
        return _rotations(brought)[: len(known)] != known
    assert isinstance(brought, HashKeyFiles)
    assert isinstance(held, HashKeyFiles)
    try:
        previous = read_hash_key(held, held.previous)
    except InvalidKey:
        return False
    current = read_hash_key(brought, brought.current)
    return previous is not None and current is not None and previous.text == current.text


def _rotations(files: KeyFiles) -> list[Transition]:
    try:
        return parse_transitions(files.history.read_text(encoding="utf-8"))
    except (FileNotFoundError, InvalidNote):
        return []


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, text)


_NOTHING: Final = "Nothing was written."


PASSPHRASE_MIN: Final = 12
"""Fewest characters of a passphrase."""
_VERSION: Final = "yesser-keys-v1"
_CHECK: Final = "sha256 "


class CannotOpen(YesserError):
    """The file of keys cannot be opened; the message says why. Nothing was written."""


def seal(content: bytes, passphrase: str) -> str:
    """The sealed text. Raises `CannotOpen` for a passphrase that is too short."""
    if len(passphrase) < PASSPHRASE_MIN:
        raise CannotOpen(f"the passphrase has fewer than {PASSPHRASE_MIN} characters: take a longer one")
    salt = random(argon2id.SALTBYTES)
    sealed = salt + bytes(_box(passphrase, salt).encrypt(content))
    lines = textwrap.wrap(base64.b64encode(sealed).decode(), 76)
    return "\n".join([_VERSION, *lines, _CHECK + sha256(sealed).hexdigest()]) + "\n"


def unseal(text: str, passphrase: str) -> bytes:
    """The content of a sealed text. Raises `CannotOpen`."""
    version, *lines = text.strip().split("\n")
    if version != _VERSION or len(lines) < 2 or not lines[-1].startswith(_CHECK):
        raise CannotOpen(f"the file is not one that `yesser keys export` wrote (its first line is not {_VERSION})")
    try:
        sealed = base64.b64decode("".join(lines[:-1]), validate=True)
    except binascii.Error:
        sealed = b""
    if sha256(sealed).hexdigest() != lines[-1].removeprefix(_CHECK):
        raise CannotOpen("the file is damaged: take another copy")
    salt, box = sealed[: argon2id.SALTBYTES], sealed[argon2id.SALTBYTES :]
    try:
        return _box(passphrase, salt).decrypt(box)
    except CryptoError as error:
        raise CannotOpen("the passphrase is wrong, or the file was changed on purpose") from error


def _box(passphrase: str, salt: bytes) -> SecretBox:
    key = argon2id.kdf(
        SecretBox.KEY_SIZE,
        passphrase.encode(),
        salt,
        opslimit=argon2id.OPSLIMIT_MODERATE,
        memlimit=argon2id.MEMLIMIT_MODERATE,
    )
    return SecretBox(key)
