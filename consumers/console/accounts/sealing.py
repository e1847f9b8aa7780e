"""Seals what a browser carries for the console between two requests: nobody reads or changes it there."""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from infra.keys.hash_keys import console_key_files, load_hash_keys
from infra.settings import Settings


class Sealer:
    """Seals documents for one purpose. Every console of this system opens them, also after a restart."""

    def __init__(self, keys: Callable[[], Sequence[str]], purpose: str) -> None:
        """`keys` gives those that are valid now; the first one seals."""
        self._keys = keys
        self._purpose = purpose

    @classmethod
    def of(cls, settings: Settings, purpose: str, clock: Callable[[], datetime]) -> Sealer:
        files, alone = console_key_files(settings), secrets.token_hex(32)

        def keys() -> Sequence[str]:
            if not files.current.exists():
                return [alone]
            return [key.text for key in load_hash_keys(files).valid(clock())]

        return cls(keys, purpose)

    def seal(self, document: Any) -> str:
        """Without padding, which a cookie would have to quote."""
        return urlsafe_b64encode(self._box(self._keys()[0]).encrypt(orjson.dumps(document))).rstrip(b"=").decode()

    def open(self, text: str) -> Any | None:
        """The document; None for anything that was not sealed for this purpose."""
        for key in self._keys():
            try:
                return orjson.loads(self._box(key).decrypt(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))))
            except (CryptoError, ValueError, TypeError, binascii.Error):
                continue
        return None

    def _box(self, secret: str) -> SecretBox:
        key = blake2b(self._purpose.encode(), key=secret.encode()[:64], digest_size=SecretBox.KEY_SIZE)
        return SecretBox(key.digest())
