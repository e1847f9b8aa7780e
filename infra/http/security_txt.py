"""`/.well-known/security.txt` (RFC 9116): where people report a weakness. Served while its settings name a contact."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from infra.clock import Clock
from infra.settings import Settings

SECURITY_TXT: Final = "/.well-known/security.txt"


def security_txt(settings: Settings, now: datetime) -> str | None:
    """The file; None without a contact, and after it has expired: then readers must not use it (RFC 9116 §2.5.5)."""
    contact, expires = settings.security_contact, settings.security_expires
    if contact is None or expires is None or expires <= now:
        return None
    until = expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"Contact: {contact}\nExpires: {until}\nPreferred-Languages: ar, en\n"


def security_routes(settings: Settings, clock: Clock) -> APIRouter:
    """The route, which needs no token and no session. Without a file the answer is 404."""
    routes = APIRouter()

    @routes.get(SECURITY_TXT, include_in_schema=False)
    async def file() -> PlainTextResponse:
        text = security_txt(settings, clock())
        if text is None:
            raise HTTPException(404)
        return PlainTextResponse(text)

    return routes
