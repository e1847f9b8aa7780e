"""`/workspace/expected`: which events the agency expects of its own systems, and whether they have come."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import UNSET, Struct, UnsetType

from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.campaigns.reporting import Faults, Given
from consumers.console.pages.campaigns.team_requests import LIST_MAX, act, change, look_all
from consumers.console.pages.workspace.publishing import domains_of
from consumers.documents.teams import notices as nouns
from consumers.documents.teams.notices import Expectation

FIELDS: Final = ("type", "subject", "by_day", "every_days")

routes = APIRouter()


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
