"""Which URLs a webhook may have, as far as a URL shows it. Pure.

The check that counts is made when a connection is opened, on the address that the host's name has then
(`consumers.delivery.webhooks.addresses`).
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from consumers.delivery.teams.inputs import InvalidInput, invalid_value
from consumers.delivery.webhooks.addresses import HTTPS_PORT, Destinations, is_public


def require_url(url: str, allowed: Destinations) -> None:
    """Raises `InvalidInput` for a URL to which nothing can be delivered. `url` matches `URL_PATTERN`."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets without an IPv6 address
        raise _no_public_host() from None
    host = parts.hostname or ""
    if allowed.is_named(host):
        return
    if parts.scheme.lower() != "https":
        raise invalid_value("اكتب عنوانًا يبدأ بـ https://.", "Write a URL that begins with https://.", "/url")
    if _port(parts.netloc) not in allowed.ports:
        ports = ", ".join(map(str, sorted(allowed.ports)))
        raise invalid_value(f"المنفذ غير مسموح؛ المسموح {ports}.", f"This port is not allowed; use {ports}.", "/url")
    if not _is_outside(host):
        raise _no_public_host()


def _is_outside(host: str) -> bool:
    """Whether a host is a public address, or a name of at least two labels that is not an address in another form."""
    try:
        return is_public(str(ip_address(host)))
    except ValueError:
        pass
    *labels, last = host.lower().split(".")
    # `127.1`, `2130706433` and `0x7f.1` are addresses to many clients. A name ends in letters.
    return bool(labels) and not last[0].isdigit() and last not in ("localhost", "local", "internal", "arpa")


def _no_public_host() -> InvalidInput:
    return invalid_value(
        "هذا المضيف داخل الشبكة أو ليس اسمًا: اكتب اسم مضيف عام.",
        "This host is inside the network, or is no name: write the name of a public host.",
        "/url",
    )


def _port(netloc: str) -> int:
    port = netloc.rpartition("]")[2].partition(":")[2]
    return int(port) if port else HTTPS_PORT
