"""HEAD answers where GET does (RFC 9110 §9.3.2)."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


def with_head(app: ASGIApp) -> ASGIApp:
    """The application, to which a HEAD is a GET: the server leaves the body out, since its own scope stays a HEAD."""

    async def as_get(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope, receive, send)

    return as_get
