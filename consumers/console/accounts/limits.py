"""What one account may use of the console, so that it cannot take what all share: requests a second and at once, and
pages that follow the log. The gateway limits each holder by the same two pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from infra.http.problems import Problem
from infra.http.quotas import Quota
from infra.http.rate_limits import RateLimit
from infra.settings import Settings

LIVE: Final = "/live"
"""The path of the news for an open page, which is answered for as long as the page is open."""
BUSY_RETRY_S: Final = 1


class Limits:
    """`clock` is monotonic, in seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._requests = RateLimit(settings.console_requests_per_s, settings.console_requests_burst)
        self._at_once = Quota(settings.console_requests_at_once_max, BUSY_RETRY_S)
        self._live = Quota(settings.console_live_pages_max, BUSY_RETRY_S)

    @contextmanager
    def using(self, username: str, path: str) -> Iterator[None]:
        """One request of an account while the block runs. Raises `Problem` (429), before anything is done."""
        if wait_s := self._requests.wait_s(username, self._clock()):
            raise Problem("too-many-requests", retry_after_s=wait_s)
        with (self._live if path == LIVE else self._at_once).using(username):
            yield
