"""A text file sealed with a passphrase: Argon2id makes the key, and NaCl's secret box encrypts and authenticates.

    yesser-keys-v1
    <base64 of salt ‖ box, in lines>
    sha256 <hex of salt ‖ box>

The last line only tells a damaged file from a wrong passphrase; whether the content is genuine, the box decides.
"""

from __future__ import annotations

import base64
import binascii
import textwrap
from hashlib import sha256
from typing import Final

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.utils import random

from events.errors import YesserError

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
