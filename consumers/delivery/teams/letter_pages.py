"""`/mail/confirm`, `/mail/stop`, `/mail/resume`: the pages that the links in letters lead to. They need no sign-in.

Only a POST changes something: mail scanners open links. A mail program stops letters by the same POST (RFC 8058). The
token is a parameter and not part of the path: a failed request is logged with its path alone.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from consumers.delivery.recipients import PATH, SQL, TOKEN_PATTERN, Action, token_hash
from consumers.delivery.teams.requests import Changes
from events.values.bilingual import isolated
from infra.http.templates import templates

_STYLE: Final = (
    "body{margin:0;background:#f3f2f1;color:#0b0c0c;font:18px/1.6 'Segoe UI',Tahoma,Arial,sans-serif}"
    "main{max-width:640px;margin:16px auto;padding:16px 24px;background:#fff}h1{font-size:24px;margin:0}"
    "button{font:inherit;background:#00703c;color:#fff;border:0;padding:8px 16px;cursor:pointer}"
    "button:focus{outline:3px solid #fd0}"
)
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    " form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_TEMPLATES: Final = templates("consumers.delivery.teams")
_HTML: Final = "text/html; charset=utf-8"

Token = Annotated[str, Query(pattern=TOKEN_PATTERN)]


def router(changes: Changes) -> APIRouter:
    """The pages. They are of people, and no part of the API's document."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PATH + "/{action}")
    async def show(action: Action, token: Token) -> Response:
        """What the button would do; it changes nothing."""
        return _page(action, token, await _link(changes, action, token))

    @routes.post(PATH + "/{action}")
    async def decide(request: Request, action: Action, token: Token) -> Response:
        """Do it. Repeating it changes nothing."""
        link = await _link(changes, action, token)
        if link is not None and not _is_done(action, link):
            async with changes.connected() as connection:
                await connection.execute(SQL[action], link["recipient_id"])
            link = await _link(changes, action, token)
        return _page(action, token, link)

    return routes


async def _link(changes: Changes, action: Action, token: str) -> Any:
    """The recipient whose link this is; None if the link does not exist, has expired or is for something else."""
    async with changes.parts.connection() as connection:
        row = await connection.fetchrow(SQL["link"], token_hash(token))
    wanted = "stop" if action == "resume" else action
    return None if row is None or row["action"] != wanted else row


def _is_done(action: Action, link: Any) -> bool:
    is_stopped = link["stopped_at"] is not None
    if action == "confirm":
        return link["confirmed_at"] is not None and not is_stopped
    return is_stopped == (action == "stop")


def _page(action: Action, token: str, link: Any) -> Response:
    state = "no-link" if link is None else f"{action}-done" if _is_done(action, link) else action
    team = "" if link is None else f"{link['agency']}/{link['team']}"
    page = _TEMPLATES.get_template("letter_page.html")
    html = page.render(style=_STYLE, state=state, team=isolated(team), token=token)
    return Response(html, 404 if link is None else 200, _HEADERS, _HTML)
