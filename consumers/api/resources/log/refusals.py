"""`/v1/refusals`: what was refused, why, and which entry corrected it. An agency reads its own; the office and auditors
all."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from consumers.api.access import narrowed, programme_scope
from consumers.api.cursor import INTEGER_MAX, index_after
from consumers.api.parameters import After, AgencyCode, Index, Limit
from consumers.api.reader import ReadAnswer, Reader, paged
from consumers.api.reading import found, read_route
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from infra.log.refusals.documents import Refusal, RefusalInFull
from infra.log.refusals.read import refusal as read_refusal
from infra.log.refusals.read import refusals as read_refusals

_NEWEST: Final = INTEGER_MAX + 1

IsOpen = Annotated[bool, Query(alias="open", description="Only those that no later entry has corrected.")]

routes = APIRouter(tags=["log"], default_response_class=Response)


@read_route(
    routes, "/v1/refusals", "refusals", "What was refused, and what corrected it", "Refusals, the newest first."
)
async def refusals_for(
    reader: Reader, agency: AgencyCode = None, is_open: IsOpen = False, limit: Limit = 100, after: After = None
) -> ReadAnswer[list[Refusal]]:
    """The newest first. A correction is a record sent again for the refusal, or a later event with the same id."""
    scope = narrowed(programme_scope(reader.caller), agency)
    before = _NEWEST if after is None else index_after(after)

    async def question(view: View) -> list[Refusal]:
        size, most = view.log_index, limit + 1
        return await read_refusals(view.connection, scope.agency, before, is_open=is_open, log_size=size, rows_max=most)

    return paged(await reader.read([EVENT_INDEX], question), limit, lambda row: (row.index,))


@read_route(routes, "/v1/refusals/{index}", "refusal", "A refusal", "A refusal with every fault that its entry lists.")
async def refusal_for(reader: Reader, index: Index) -> ReadAnswer[RefusalInFull]:
    """Every fault that the entry lists, and the entry that corrected it."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> RefusalInFull:
        return found(await read_refusal(view.connection, index, scope.agency, view.log_index))

    return await reader.read([EVENT_INDEX], question)
