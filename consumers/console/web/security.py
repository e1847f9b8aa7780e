"""What protects a signed-in person: headers of every answer, and proof that a form is our own.

Pages load nothing from elsewhere and run no inline script, so that a text of an event cannot become one.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from infra.http.problems import Problem

CSRF_FIELD: Final = "csrf"
SIGN_IN: Final = "/sign-in"
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

    def __init__(self, secret: str, fields: Sequence[tuple[str, str]], *, has_files: bool = False) -> None:
        super().__init__("forbidden")
        self.secret = secret
        self.fields = fields
        self.has_files = has_files


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
        items = form.multi_items()
        has_files = any(not isinstance(item, str) and item.filename for _, item in items)
        await form.close()
        raise NotOwnForm(secret, [(name, text) for name, text in items if isinstance(text, str)], has_files=has_files)
