"""The address of a server, as a person gives it. Checked before anything is asked: a client's errors name no remedy."""

from __future__ import annotations

from typing import Final

import httpx

from events.errors import YesserError

_SCHEMES: Final = ("http", "https")
_PORT_MAX: Final = 0xFFFF


class NotAnAddress(YesserError):
    """This is not the address of a server: write https://HOST or https://HOST:PORT."""


def server_address(given: str) -> httpx.URL:
    """The address. Raises `NotAnAddress`."""
    try:
        url = httpx.URL(given)
        url.raw_host.decode("ascii").encode("idna")  # as the resolver does: it bounds the parts of a name
        host, port = url.host, url.port  # the host is decoded only now, which fails for a malformed `xn--`
    except (httpx.InvalidURL, ValueError) as error:
        raise NotAnAddress(f"{given!r} is not an address: {error}.") from None
    if url.scheme not in _SCHEMES:
        raise NotAnAddress(f"{given!r} is not an address: write https://HOST or https://HOST:PORT.")
    if not host or (port is not None and not 0 < port <= _PORT_MAX):
        raise NotAnAddress(f"{given!r} is not an address: it has no host, or a port below 1 or above {_PORT_MAX}.")
    if "%" in host:  # what no host may hold, such as a space, is encoded so
        raise NotAnAddress(f"{given!r} is not an address: its host has a space, a % or another sign that no host has.")
    return url
