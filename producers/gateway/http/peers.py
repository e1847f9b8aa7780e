"""The open connections of the gateway, counted by peer."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address, ip_network
from typing import Final

from infra.http.problems import RequestCode
from infra.http.rate_limits import peer_of
from infra.observability.telemetry import gauge
from infra.settings import Settings

CONNECTIONS_MAX: Final = 2_000


class Connections:
    """Counts open connections. A trusted proxy is limited only by the number of all connections."""

    def __init__(self, settings: Settings, connections_max: int = CONNECTIONS_MAX) -> None:
        self._max = connections_max
        self._per_peer_max = settings.gateway_connections_per_peer_max
        proxies = map(str.strip, settings.gateway_trusted_proxies.split(","))
        self._proxies = [ip_network(name) for name in proxies if name]
        self._of_peer: Counter[str] = Counter()
        self._all = 0

    def open(self, host: str) -> RequestCode | None:
        """Count a connection; the problem with which to refuse it, or None. Call `close` in both cases."""
        peer = peer_of(host)
        self._of_peer[peer] += 1
        self._all += 1
        gauge("gateway_connections", self._all)
        if self._all > self._max:
            return "overloaded"
        if self._of_peer[peer] > self._per_peer_max and not self._is_proxy(host):
            return "too-many-connections"
        return None

    def close(self, host: str) -> None:
        peer = peer_of(host)
        self._of_peer[peer] -= 1
        if not self._of_peer[peer]:
            del self._of_peer[peer]
        self._all -= 1
        gauge("gateway_connections", self._all)

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)
