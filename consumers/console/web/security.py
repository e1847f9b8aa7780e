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


def is_own_site(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request that changes something comes from one of our pages, as the browser says."""
    found = {name: value.decode("latin-1") for name, value in headers}
    site = found.get(b"sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = found.get(b"origin")
    return origin is None or urlsplit(origin).netloc == found.get(b"host")


async def require_own_form(request: Request) -> None:
    """A dependency of every route. Raises `Problem` (403) for a form without its session's secret.

    Without a session there is no secret: `is_own_site` protects the form to sign in.
    """
    if request.method in SAFE_METHODS or request.state.account is None:
        return
    given = (await request.form()).get(CSRF_FIELD)
    expected = request.state.csrf
    if not isinstance(given, str) or not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Problem("forbidden")
