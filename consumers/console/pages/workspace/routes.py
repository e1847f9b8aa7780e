"""`/workspace`: the overview, refusals, tokens; and the routes to publish."""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from consumers.api.parameters import After, Index
from consumers.api.resources.entries import refusal_for, refusals_for
from consumers.console.navigation import roles_of
from consumers.console.page_request import Visit, Visiting, only
from consumers.console.pages.workspace import expected, files, publishing
from consumers.console.pages.workspace.faults import explained
from events.types.catalogue import CATALOGUE, may_send
from events.wire.envelope import short_type
from infra.postgres.sql import queries
from producers.sdk.answers import Answer, Problem, VerdictPage
from producers.sdk.problems import NotServed

_SQL: Final = queries("consumers.console.pages.workspace", "workspace.sql")
_SHOWN: Final = 10
_PAGE: Final = 50
_RANGES_SHOWN: Final = 20

AnswerType = TypeVar("AnswerType", bound=Answer)

routes = APIRouter(dependencies=[only(roles_of("/workspace"))])


class Pause(Answer):
    """Until when the agency's topic is read slowly, and why."""

    until: str
    reason: dict[str, str]


class Latest(VerdictPage):
    """Verdicts, and the number of records of the topic that have one."""

    read_up_to: int
    paused: Pause | None = None


class Completeness(Answer):
    """Which sequence numbers of the month are missing. Those of more than 53 bits are texts."""

    status: str
    seen_count: int | str = 0
    highest: int | str = 0
    missing_count: int | str | None = None
    missing: tuple[tuple[int | str, int | str], ...] = ()


@routes.get("/workspace")
async def overview(visit: Visiting) -> Response:
    """What was sent recently, what is refused and open, and which numbers are missing."""
    code = visit.caller.require_agency().code
    latest, completeness, refusals = await asyncio.gather(
        _latest(visit),
        _asked(visit, Completeness, "/v1/completeness"),
        refusals_for(visit.reader, code, is_open=True, limit=_SHOWN),
    )
    return visit.page(
        "workspace/overview.html",
        code=code,
        latest=latest if isinstance(latest, Latest) else None,
        problem=latest if isinstance(latest, Problem) else None,
        completeness=completeness if isinstance(completeness, Completeness) else None,
        refusals=[(row, explained(row.errors)) for row in refusals.document],
        has_more=refusals.next is not None,
        ranges_shown=_RANGES_SHOWN,
        live=True,
    )


@routes.get("/workspace/refusals")
async def refusals(visit: Visiting, all: bool = False, after: After = None) -> Response:
    code = visit.caller.require_agency().code
    found = await refusals_for(visit.reader, code, not all, _PAGE, after)
    rows = [(row, explained(row.errors)) for row in found.document]
    return visit.page("workspace/refusals.html", rows=rows, shows_all=all, following=found.next, live=after is None)


@routes.get("/workspace/refusals/{index}")
async def refusal(visit: Visiting, index: Index) -> Response:
    found = (await refusal_for(visit.reader, index)).document
    type_name = short_type(found.claimed_type or "")
    row = CATALOGUE.get(type_name)
    can_correct = row is not None and may_send(visit.caller.require_agency().role, row)
    return visit.page(
        "workspace/refusal.html",
        refusal=found,
        faults=explained(found.errors),
        type_name=type_name if can_correct else None,
        needs_new_id=any(error.code == "conflict" for error in found.errors),
    )


@routes.get("/workspace/tokens")
async def tokens(visit: Visiting) -> Response:
    caller = visit.caller
    rows = await visit.parts.own.fetch(_SQL["tokens"], caller.kind, caller.holder, visit.parts.clock())
    return visit.page("workspace/tokens.html", rows=rows, holder=caller.holder)


for _room in (publishing, files, expected):
    routes.include_router(_room.routes)


async def _latest(visit: Visit) -> Latest | Problem | None:
    """The last verdicts, the newest first, and whether the topic is read; else like `_asked`."""
    end = await _asked(visit, Latest, "/v1/receipts", since="0", limit="1")
    if not isinstance(end, Latest):
        return end
    since = max(0, end.read_up_to - _SHOWN)
    page = await _asked(visit, Latest, "/v1/receipts", since=str(since), limit=str(_SHOWN))
    return page.model_copy(update={"receipts": page.receipts[::-1]}) if isinstance(page, Latest) else page


async def _asked(visit: Visit, model: type[AnswerType], path: str, **parameters: str) -> AnswerType | Problem | None:
    """The gateway's document, or why it refuses; None where it is away."""
    try:
        reply = await visit.send("GET", f"{path}?{urlencode(parameters)}" if parameters else path)
    except NotServed:
        return None
    return reply.read(model) if reply.is_success else reply.problem
