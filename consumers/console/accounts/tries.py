"""Limits sign-ins by who tries, so that a stranger's tries keep nobody else out; and seals what a browser carries for
the console between two requests: nobody reads or changes it there.

A browser that signed an account in before has tries of its own for it: what others do does not count. Any other shares
those of its peer for the account, those of its peer, and many for the account from everywhere, which slow down guesses
from thousands of addresses.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from infra.clock import Clock
from infra.http.rate_limits import RateLimit, peer_of
from infra.keys.hash_keys import console_key_files, load_hash_keys
from infra.settings import Settings


class Sealer:
    """Seals documents for one purpose. Every console of this system opens them, also after a restart."""

    def __init__(self, keys: Callable[[], Sequence[str]], purpose: str) -> None:
        """`keys` gives those that are valid now; the first one seals."""
        self._keys = keys
        self._purpose = purpose

    @classmethod
    def of(cls, settings: Settings, purpose: str, clock: Clock) -> Sealer:
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


COOKIE: Final = "yesser-browser"
KEPT_S: Final = 365 * 86_400
_NAMES_MAX: Final = 8
"""Accounts of one browser: the last ones."""
_PEER: Final = (0.5, 60)
"""A second, and at once: many desks may share an address."""
_NAME_FROM_PEER: Final = (0.1, 10)
_NAME_FROM_EVERYWHERE: Final = (2.0, 120)


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser, and the accounts that it signed in."""

    id: str
    names: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        return {"id": self.id, "names": self.names}


class Tries:
    """`clock` is monotonic, in seconds."""

    def __init__(self, sealer: Sealer, clock: Callable[[], float]) -> None:
        self._sealer = sealer
        self._clock = clock
        self._peers = RateLimit(*_PEER)
        self._own = RateLimit(*_NAME_FROM_PEER)
        self._from_peers = RateLimit(*_NAME_FROM_PEER)
        self._names = RateLimit(*_NAME_FROM_EVERYWHERE)

    def wait_s(self, host: str, username: str, cookie: str) -> int:
        """0 if another try is allowed, which is then counted; else the seconds to wait. `cookie`: the browser's."""
        browser = self._browser(cookie)
        now = self._clock()
        if username in browser.names:
            return self._own.wait_s(f"{username} {browser.id}", now)
        peer = peer_of(host)
        return (
            self._peers.wait_s(peer, now)
            or self._from_peers.wait_s(f"{username} {peer}", now)
            or self._names.wait_s(username, now)
        )

    def peer_wait_s(self, host: str) -> int:
        """The same, of a peer alone: at the identity provider nobody has been named yet."""
        return self._peers.wait_s(peer_of(host), self._clock())

    def signed_in_wait_s(self, username: str) -> int:
        """The same, of somebody who is signed in and gives the password again."""
        return self._own.wait_s(username, self._clock())

    def remembered(self, cookie: str, username: str) -> str:
        """The browser's new cookie: it has signed this account in."""
        known = self._browser(cookie)
        names = (*(name for name in known.names if name != username), username)[-_NAMES_MAX:]
        return self._sealer.seal(Browser(known.id, names).document())

    def _browser(self, cookie: str) -> Browser:
        """What a cookie says; a new browser for one that was not sealed here."""
        found = self._sealer.open(cookie) if cookie else None
        return Browser(secrets.token_urlsafe(12)) if found is None else Browser(found["id"], tuple(found["names"]))
