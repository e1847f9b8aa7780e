"""`/workspace`: the overview, refusals, tokens, which events the agency expects of its own systems and whether they
have come; and the routes to publish.
"""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from msgspec import UNSET, Struct, UnsetType

from consumers.api.parameters import After, Index, cursor_of
from consumers.api.resources.entries import anomalies_for, refusal_for, refusals_for
from consumers.console.page_request import Visit, Visiting, only, roles_of
from consumers.console.pages.campaigns.report_pages import Faults, Given
from consumers.console.pages.campaigns.teams import LIST_MAX, act, change, look_all
from consumers.console.pages.workspace import files, publishing
from consumers.console.pages.workspace.entered import explained
from consumers.console.pages.workspace.publishing import domains_of
from consumers.documents.teams import notices as nouns
from consumers.documents.teams.notices import Expectation
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
    """What was sent recently, what of it changed nothing, what is refused and open, and which numbers are missing."""
    code = visit.caller.require_agency().code
    latest, completeness, refusals = await asyncio.gather(
        _latest(visit),
        _asked(visit, Completeness, "/v1/completeness"),
        refusals_for(visit.reader, code, is_open=True, limit=_SHOWN),
    )
    receipts = latest.receipts if isinstance(latest, Latest) else ()
    registered = [row.index for row in receipts if row.state == "registered" and row.index]
    since = cursor_of((min(registered), 0)) if registered else None
    anomalies = (await anomalies_for(visit.reader, after=since)).document if registered else []
    return visit.page(
        "workspace/overview.html",
        code=code,
        latest=latest if isinstance(latest, Latest) else None,
        problem=latest if isinstance(latest, Problem) else None,
        completeness=completeness if isinstance(completeness, Completeness) else None,
        refusals=[(row, explained(row.errors)) for row in refusals.document],
        has_more=refusals.next is not None,
        anomalies={row.index for row in anomalies},
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


for _room in (publishing, files):
    routes.include_router(_room.routes)


FIELDS: Final = ("type", "subject", "by_day", "every_days")


class TypedExpectation(Struct, frozen=True):
    """An expectation as its form gives it: the gateway says what is wrong with it."""

    type: str
    subject: str | UnsetType
    by_day: int | str | UnsetType
    every_days: int | str | UnsetType


def new_expectation(given: Given) -> TypedExpectation:
    typed = {name: given.get(name, "").strip() for name in FIELDS}
    by_day, every_days = (_number(typed[name]) for name in FIELDS[2:])
    return TypedExpectation(typed["type"], typed["subject"] or UNSET, by_day, every_days)


def _number(text: str) -> int | str | UnsetType:
    """A number of at most nine digits; other texts as they are, for the gateway to refuse."""
    return int(text) if text.isdecimal() and len(text) < 10 else text or UNSET


@routes.get("/workspace/expected")
async def expected(visit: Visiting) -> Response:
    return await _page(visit, {}, {})


@routes.post("/workspace/expected")
async def expect(visit: Visiting) -> Response:
    given = await visit.typed()
    made = await change(visit, "POST", "/v1/expectations", new_expectation(given), FIELDS)
    if made.faults:
        return await _page(visit, given, made.faults, made.status)
    return visit.redirect("/workspace/expected")


@routes.post("/workspace/expected/{expectation_id}/end")
async def end(visit: Visiting, expectation_id: int) -> Response:
    await act(visit, "DELETE", f"/v1/expectations/{expectation_id}")
    return visit.redirect("/workspace/expected")


async def _page(visit: Visit, given: Given, faults: Faults, status: int = 200) -> Response:
    rows = await look_all(visit, Expectation, "/v1/expectations", limit=LIST_MAX)
    types = {row.name: row.purpose for _, of in domains_of(visit.caller.require_agency().role) for row in of}
    return visit.page(
        "workspace/expected.html", status, rows=rows, types=types, nouns=nouns, given=given, faults=faults
    )
