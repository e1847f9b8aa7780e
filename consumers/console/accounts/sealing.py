"""Seals what a browser carries for the console between two requests: nobody reads or changes it there."""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Any

import orjson
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from infra.secret_files import CONSOLE_KEY
from infra.settings import Settings


class Sealer:
    """Seals documents for one purpose. Every console of this system opens them, also after a restart."""

    def __init__(self, secret: str, purpose: str) -> None:
        key = blake2b(purpose.encode(), key=secret.encode()[:64], digest_size=SecretBox.KEY_SIZE)
        self._box = SecretBox(key.digest())

    @classmethod
    def of(cls, settings: Settings, purpose: str) -> Sealer:
        return cls(settings.secret(*CONSOLE_KEY) or secrets.token_hex(32), purpose)

    def seal(self, document: Any) -> str:
        """Without padding, which a cookie would have to quote."""
        return urlsafe_b64encode(self._box.encrypt(orjson.dumps(document))).rstrip(b"=").decode()

    def open(self, text: str) -> Any | None:
        """The document; None for anything that was not sealed for this purpose."""
        try:
            return orjson.loads(self._box.decrypt(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))))
        except (CryptoError, ValueError, TypeError, binascii.Error):
            return None
