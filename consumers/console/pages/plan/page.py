"""Renders the main part of a page of the plan, and keeps it until the log moves: for all who may see the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi.responses import HTMLResponse

from consumers.api.access import scope_of
from consumers.api.reader import Reader
from consumers.console.page_request import Visit
from consumers.console.web.rendered import Part, rendered_part
from consumers.documents.access_scope import EVERYTHING

Context = Mapping[str, Any]


async def show(
    visit: Visit, template: str, title: str, context: Callable[[Reader], Awaitable[Context]], *, live: bool = True
) -> HTMLResponse:
    """The page with this template as its main part; `context` reads what the template shows.

    A context may have the `status` of the answer, and a `title` in place of this one.
    """
    url, scope = visit.request.url, scope_of(visit.caller)

    async def render() -> Part:
        rights = {"opens_entries": visit.opens_entries, "sees_everything": scope == EVERYTHING}
        given = {**rights, **await context(visit.reader)}
        html = visit.parts.templates.part(template, visit.words, given)
        return rendered_part(html, given.get("status", 200), given.get("title", title))

    key = (url.path, url.query, visit.words.language, scope, visit.opens_entries)
    part = await visit.parts.rendered.part(key, render)
    asked = visit.request.headers
    if "x-live" in asked and "gzip" in asked.get("accept-encoding", "") and part.since is None:
        headers = {"Content-Encoding": "gzip", "Content-Language": visit.words.language}
        return HTMLResponse(part.packed, part.status, headers)
    return visit.page("plan/page.html", part.status, title=part.title, part=part.html, since=part.since, live=live)
