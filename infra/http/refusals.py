"""Which refusals (403) become rows of the trail: so many of each name in a time, without a text that somebody typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from infra.http.rate_limits import RateLimit

_RATE: Final = (0.1, 20)
"""A second and at once: more of them are not recorded."""
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Refusals:
    """`clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._limit = RateLimit(*_RATE)

    def words(self, name: str, method: str, pattern: str) -> tuple[str, ...]:
        """The trail's words for a request that was refused; none where `name` has had its rows."""
        if self._limit.wait_s(name, self._clock()):
            return ()
        return "refused", method if method in _METHODS else "-", pattern


def pattern_of(scope: Any) -> str:
    """Of the route that answered, such as `/partnerships/{partnership_id}`; never the address."""
    pattern: str = getattr(scope.get("route"), "path", "")
    return pattern or ("/v1" if scope["path"].startswith("/v1/") else "-")
