"""Where webhooks may go: over HTTPS to hosts on the internet, and to hosts that the deployment names. Pure.

The URL is checked before an attempt, and each address again when a connection to it is opened: a name that resolves to
an address inside the network is refused, however it resolved before.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from infra.settings import Settings

HTTPS_PORT: Final = 443

_GLOBAL_UNICAST: Final = ip_network("2000::/3")
"""The only IPv6 addresses of hosts on the internet. Mapped IPv4 addresses, NAT64 and link-local lie outside."""
_REFUSED: Final = tuple(
    map(
        ip_network,
        (
            "100.64.0.0/10",  # carrier-grade NAT, and metadata services of some clouds
            "192.0.0.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "198.18.0.0/15",  # benchmarks
            "2001::/23",  # Teredo, ORCHID and others that are no host
            "2001:db8::/32",
            "2002::/16",  # 6to4: carries an IPv4 address
            "3fff::/20",
        ),
    )
)


class AddressRefused(OSError):
    """A webhook may not go to this address; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """What the settings allow: `hosts` over plain HTTP and inside the network, `ports` for all."""

    hosts: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset({HTTPS_PORT})

    def is_named(self, host: str) -> bool:
        """Whether the deployment names this host."""
        return host.lower() in self.hosts


def destinations(settings: Settings) -> Destinations:
    hosts = frozenset(name.strip().lower() for name in settings.webhook_hosts.split(",") if name.strip())
    return Destinations(hosts, frozenset({HTTPS_PORT, *map(int, filter(None, settings.webhook_ports.split(",")))}))


def require_url(url: str, allowed: Destinations) -> str:
    """The host of a URL to which a webhook may go. Raises `AddressRefused`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefused("the URL cannot be read") from None
    if not host or parts.username is not None or parts.password is not None:
        raise AddressRefused("the URL has no host, or a user")
    if allowed.is_named(host) and parts.scheme in ("http", "https"):
        return host
    if parts.scheme != "https":
        raise AddressRefused("the URL does not begin with https://")
    if (port or HTTPS_PORT) not in allowed.ports:
        raise AddressRefused(f"port {port} is not allowed")
    return host


def require_public(address: str) -> None:
    """Raises `AddressRefused` for an address that is not one of a host on the internet."""
    if not is_public(address):
        raise AddressRefused(f"{address} is not an address on the internet")


def is_public(address: str) -> bool:
    """Whether an address in its textual form, with or without a zone, is one of a host on the internet."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and (found.scope_id is not None or found not in _GLOBAL_UNICAST):
        return False
    return found.is_global and not _is_special(found)


def _is_special(address: IPv4Address | IPv6Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return special or any(address in network for network in _REFUSED if network.version == address.version)
