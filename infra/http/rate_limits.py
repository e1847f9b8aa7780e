"""Rate limit per token or peer: a token bucket that fills at a steady rate. Time comes in by argument."""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

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
