"""The console's cookies. Where its public address is https, a browser sends them over TLS alone, and takes them from no
other host (`Secure`, and the prefix `__Host-` of RFC 6265bis). The address decides, not the connection: a proxy that is
missing from a setting makes no cookie weaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fastapi.responses import Response

from infra.settings import Settings
from infra.tls.plaintext import PlaintextRefused, is_loopback

HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
"""A year, for this host alone: others of its domain may not have TLS."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """`is_https`: whether people open the console at an https address."""

    is_https: bool

    @classmethod
    def of(cls, settings: Settings) -> Cookies:
        return cls(settings.console_address is not None)  # only https is an address

    def name(self, name: str) -> str:
        """The name that browsers know a cookie by."""
        return f"__Host-{name}" if self.is_https else name

    def value(self, cookies: Mapping[str, str], name: str) -> str:
        """The value of a cookie in a request's; empty where it is not there."""
        return cookies.get(self.name(name), "")

    def set(self, response: Response, name: str, value: str, max_age_s: int | None = None) -> None:
        """Without an age it ends with the browser's session."""
        response.set_cookie(self.name(name), value, max_age_s, secure=self.is_https, httponly=True, samesite="lax")

    def delete(self, response: Response, name: str) -> None:
        response.delete_cookie(self.name(name), secure=self.is_https, httponly=True, samesite="lax")


def require_tls_before(settings: Settings) -> None:
    """Raises `PlaintextRefused` unless the console's public address and the proxies before it are named together: the
    console has no TLS of its own."""
    address, proxies = settings.console_address, settings.console_trusted_proxies
    if address is not None and not proxies and not is_loopback(urlsplit(address).hostname or ""):
        raise PlaintextRefused(
            f"The console's address is {address}, and nothing before it ends TLS: name the proxy that does in"
            " YESSER_CONSOLE_TRUSTED_PROXIES."
        )
    if proxies and address is None:
        raise PlaintextRefused(
            "YESSER_CONSOLE_TRUSTED_PROXIES names a proxy, and the console has no public address, so its cookies could"
            " be sent without TLS: set YESSER_CONSOLE_ADDRESS to the https address at which people open it."
        )
