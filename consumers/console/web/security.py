"""What protects a signed-in person: headers of every answer, and proof that a form is our own.

Pages load nothing from elsewhere and run no inline script, so that a text of an event cannot become one.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

from infra.http.problems import Problem
from infra.settings import Settings
from infra.tls.plaintext import PlaintextRefused, is_loopback

CSRF_FIELD: Final = "csrf"
LANGUAGE_COOKIE: Final = "yesser-language"
SIGN_IN: Final = "/sign-in"
CHANGE_PASSWORD: Final = "/account/password"  # noqa: S105 (a path)
"""Where a person changes the password, and must choose one after an administrator made it."""
FIELDS_MAX: Final = 2_000
"""Of a form. A contract has at most 400 expected amounts and 50 bands, two fields each, and 200 services."""
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


class NotOwnForm(Problem):
    """The form has not the secret of the session that sends it: of none, of an earlier one, or of another account."""

    def __init__(self) -> None:
        super().__init__("forbidden")


def is_own_site(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request that changes something comes from one of our pages, as the browser says."""
    found = {name: value.decode("latin-1") for name, value in headers}
    site = found.get(b"sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = found.get(b"origin")
    return origin is None or urlsplit(origin).netloc == found.get(b"host")


async def require_own_form(request: Request) -> None:
    """A dependency of every route. Raises `NotOwnForm` (403) for a form without its session's secret.

    Without a session there is no secret: `is_own_site` protects the form to sign in, also where another tab has signed
    in meanwhile.
    """
    if request.method in SAFE_METHODS or request.state.account is None or request.url.path == SIGN_IN:
        return
    form = await request.form(max_fields=FIELDS_MAX)  # the request keeps it for its page
    given, expected = form.get(CSRF_FIELD), request.state.csrf
    secret = given if isinstance(given, str) else ""
    if not expected or not hmac.compare_digest(secret.encode(), expected.encode()):
        await form.close()
        raise NotOwnForm


def page_of_form(request: Request) -> str:
    """The page of this site that a form was on, as the browser says; else the first page."""
    found = urlsplit(request.headers.get("referer", ""))
    if found.netloc != request.headers.get("host"):
        return "/"
    return own_path(f"{found.path}?{found.query}" if found.query else found.path)


def own_path(address: str) -> str:
    """The path if it is one of this site, else the first page: nobody is sent elsewhere by a link to sign-in."""
    found = urlsplit(address)
    is_own = not found.scheme and not found.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_own and "\\" not in address and "\n" not in address else "/"


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
