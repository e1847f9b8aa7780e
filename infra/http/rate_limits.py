"""Limits of what one sender may use: a rate for each token or peer (a token bucket that fills at a steady rate; time
comes in by argument); a quota of what each holder of tokens may use at once, so that one cannot take what all share;
and how many of its refusals (403) become rows of the trail.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from infra.http.problems import Problem

_IPV6_PREFIX_BITS: Final = 64
_NAME_LENGTH_MAX: Final = 64


def peer_of(host: str) -> str:
    """The name under which a peer is counted: its IPv4 address, or its IPv6 network, of which it has every address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:_NAME_LENGTH_MAX]
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), _IPV6_PREFIX_BITS), strict=False))


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class RateLimit:
    """`per_s` requests a second for each name, and `burst` at once. Keeps at most `names_max` names."""

    def __init__(self, per_s: float, burst: float, names_max: int = 10_000) -> None:
        self._per_s = per_s
        self._burst = burst
        self._names_max = names_max
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, name: str, now: float) -> int:
        """0 if one more request is allowed, which is then counted; else the seconds to wait, rounded up."""
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= self._names_max:
                self._forget(now)
            bucket = self._buckets[name] = _Bucket(self._burst, now)
        bucket.level = min(self._burst, bucket.level + (now - bucket.at) * self._per_s)
        bucket.at = now
        if bucket.level >= 1:
            bucket.level -= 1
            return 0
        return max(1, math.ceil((1 - bucket.level) / self._per_s))

    def give_back(self, name: str) -> None:
        """Undo the count of a request."""
        if (bucket := self._buckets.get(name)) is not None:
            bucket.level = min(self._burst, bucket.level + 1)

    def _forget(self, now: float) -> None:
        """Drop the full buckets, which equal new ones; if none is full, the oldest half."""
        full = [n for n, b in self._buckets.items() if b.level + (now - b.at) * self._per_s >= self._burst]
        for name in full or sorted(self._buckets, key=lambda n: self._buckets[n].at)[: self._names_max // 2]:
            del self._buckets[name]


class Quota:
    """At most `units_max` units in use at once for each holder."""

    def __init__(self, units_max: int, retry_after_s: int = 1) -> None:
        self._units_max = units_max
        self._retry_after_s = retry_after_s
        self._used: Counter[str] = Counter()

    @contextmanager
    def using(self, holder: str) -> Iterator[None]:
        """One unit while the block runs. Raises `Problem` (429)."""
        self.take(holder)
        try:
            yield
        finally:
            self.give_back(holder)

    def take(self, holder: str, units: int = 1) -> None:
        """Raises `Problem` (429), and takes nothing, where fewer units are left."""
        if self._used[holder] + units > self._units_max:
            raise Problem("too-many-requests", retry_after_s=self._retry_after_s)
        self._used[holder] += units

    def give_back(self, holder: str, units: int = 1) -> None:
        self._used[holder] -= units
        if not self._used[holder]:
            del self._used[holder]


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
