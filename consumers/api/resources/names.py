"""`/v1/names`: what agencies, services and projects are called, for people who read their codes elsewhere."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from consumers.api.access import programme_scope
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import read_route
from consumers.documents.names import codes_of
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of.names import names_of
from consumers.replay.as_of.view import View
from producers.sdk.read_api import CODES_MAX, NamedCode

_CODE: Final = "(?:agency|service|project)/[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
Codes = Annotated[
    str,
    Query(
        pattern=f"^{_CODE}(?:,{_CODE}){{0,{CODES_MAX - 1}}}$",
        max_length=CODES_MAX * 73,
        description=f"At most {CODES_MAX}, like `agency/health,service/SVC-1`.",
    ),
]

routes = APIRouter(tags=["programme"], default_response_class=Response)


@read_route(
    routes, "/v1/names", "names", "Names of agencies, services and projects", "The names of those that are registered."
)
async def names_for(reader: Reader, codes: Codes) -> ReadAnswer[list[NamedCode]]:
    """A name never changes once it is registered."""
    programme_scope(reader.caller)

    async def question(view: View) -> list[NamedCode]:
        known = await names_of(view.connection, codes_of(codes.split(",")))
        return [NamedCode(kind, code, name) for (kind, code), name in sorted(known.items())]

    return await reader.read((PROJECTIONS, CAMPAIGNS), question)
