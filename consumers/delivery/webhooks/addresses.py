"""Where webhooks may go: over HTTPS to hosts on the internet, and to hosts that the deployment names. Pure.

The URL is checked before an attempt, and each address again when a connection to it is opened: a name that resolves to
an address inside the network is refused, however it resolved before.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

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


UrlFault = Literal["scheme", "port", "host"]


class AddressRefused(OSError):
    """A webhook may not go to this address; the message gives the reason, `fault` the part of the URL."""

    def __init__(self, reason: str, fault: UrlFault = "host") -> None:
        super().__init__(reason)
        self.fault: UrlFault = fault


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
    """The host of a URL to which a webhook may go, as far as the URL shows. Raises `AddressRefused`."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets without an IPv6 address
        raise AddressRefused("the URL cannot be read") from None
    host = parts.hostname or ""
    if not host or parts.username is not None or parts.password is not None:
        raise AddressRefused("the URL has no host, or a user")
    if allowed.is_named(host) and parts.scheme in ("http", "https"):
        return host
    if parts.scheme != "https":
        raise AddressRefused("the URL does not begin with https://", "scheme")
    if _port(parts) not in allowed.ports:
        raise AddressRefused(f"the port of {parts.netloc} is not allowed", "port")
    if not _is_outside(host):
        raise AddressRefused(f"{host} is inside the network, or is no name")
    return host


def _port(parts: SplitResult) -> int | None:
    try:
        return HTTPS_PORT if parts.port is None else parts.port
    except ValueError:  # above 65535
        return None


def _is_outside(host: str) -> bool:
    """Whether a host is a public address, or a name of at least two labels that is not an address in another form."""
    try:
        return is_public(str(ip_address(host)))
    except ValueError:
        pass
    *labels, last = host.lower().split(".")
    # `127.1`, `2130706433` and `0x7f.1` are addresses to many clients. A name ends in letters.
    return bool(labels) and not last[:1].isdigit() and last not in ("", "localhost", "local", "internal", "arpa")


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
