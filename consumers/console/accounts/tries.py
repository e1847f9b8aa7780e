"""Limits sign-ins by who tries, so that a stranger's tries keep nobody else out.

A browser that signed an account in before has tries of its own for it: what others do does not count. Any other shares
those of its peer for the account, those of its peer, and many for the account from everywhere, which slow down guesses
from thousands of addresses.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from consumers.console.accounts.sealing import Sealer
from infra.http.rate_limits import RateLimit, peer_of

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
