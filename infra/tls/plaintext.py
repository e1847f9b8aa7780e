"""Which connections may be plain: those that stay on this machine, and those named in `dangerously_allow_plaintext`."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from events.errors import YesserError
from infra.settings import PlainConnection, Settings


class PlaintextRefused(YesserError):
    """The connection would leave this machine without encryption: use TLS (docs/tls.md)."""


def is_loopback(host: str) -> bool:
    """Whether packets to this host stay on this machine. A name is not looked up: only `localhost` is known to."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def refuse_plaintext(
    settings: Settings, connection: PlainConnection, what: str, hosts: Iterable[str], remedy: str
) -> None:
    """Raises `PlaintextRefused` if a host is not this machine; `what` names the plain connection to people."""
    if not settings.allows_plaintext(connection):
        require_loopback(what, hosts, f"{remedy}, or name {connection} in YESSER_DANGEROUSLY_ALLOW_PLAINTEXT")


def require_loopback(what: str, hosts: Iterable[str], remedy: str) -> None:
    """Raises `PlaintextRefused` if a host is not this machine."""
    for host in hosts:
        if not is_loopback(host):
            raise PlaintextRefused(f"{what} would leave this machine without encryption (host {host}): {remedy}.")


def refuse_plain_http(settings: Settings, connection: PlainConnection, setting: str, address: str) -> None:
    """Raises `PlaintextRefused` for an address that is neither https nor on this machine."""
    parts = urlsplit(address)
    if parts.scheme != "https":
        what = f"HTTP to the address in {setting}"
        refuse_plaintext(settings, connection, what, [parts.hostname or ""], "use https://")
