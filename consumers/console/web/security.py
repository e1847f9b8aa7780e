"""What protects a signed-in person: headers of every answer, and proof that a form is our own.

Pages load nothing from elsewhere and run no inline script, so that a text of an event cannot become one.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from infra.http.problems import Problem

CSRF_FIELD: Final = "csrf"
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
