"""`/v1/entries`: entries by subject, type, event id and agency.

An agency reads its own entries, a partner the entries of its partnerships from agencies that own them, the office and
auditors all entries.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Response
from fastapi import Query as Parameter

from consumers.api import documents
from consumers.api.access import narrowed, scope_of
from consumers.api.cursor import INTEGER_MAX, cursor_of, index_after
from consumers.api.parameters import After, AgencyCode, Limit, Text
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import Reading
from consumers.documents.access_scope import AccessScope
from consumers.documents.log.entries import PAGE_ROWS_MAX, Entry
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.event_index.read import Page, Query, as_full_type, find
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.validation.refusal import PLATFORM, REFUSED
from events.values.fields import TIME_PATTERN
from events.wire.envelope import full_type
from infra.log.reader import entries_recorded_by

_REFUSED: Final = full_type(REFUSED)
LOOKED_AT_MAX: Final = 10_000
"""Entries that are looked at for a partner's page."""
RecordedFrom = Annotated[
    str | None, Parameter(pattern=TIME_PATTERN, description="Only recorded at this time or later.")
]
RecordedTo = Annotated[
    str | None, Parameter(pattern=TIME_PATTERN, description="Only recorded at this time or earlier.")
]
AfterIndex = Annotated[int | None, Parameter(ge=0, le=INTEGER_MAX, description="Only after the entry at this index.")]
NewestFirst = Annotated[bool, Parameter(description="The newest entry first; else in log order.")]

routes = APIRouter(tags=["log"], default_response_class=Response)


@routes.get(
    "/v1/entries",
    summary="Find entries",
    responses=documents.answers("Where events are in the log, in log order.", list[Entry], paged=True),
)
async def entries(
    request: Reading,
    subject: Text = None,
    type: Text = None,
    id: Text = None,
    agency: AgencyCode = None,
    recorded_from: RecordedFrom = None,
    recorded_to: RecordedTo = None,
    newest_first: NewestFirst = False,
    after_index: AfterIndex = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """By subject, type (`service.launched` or in full), event id, agency and recorded time; all that are given must
    hold.

    The type `registrar.refused` with an agency: the refusals of this agency's records.
    """
    first = None if after_index is None else after_index + 1
    chosen = Query(subject, type, agency, id, rows_max=limit, newest_first=newest_first, from_index=first)
    return await request.respond(lambda reader: entries_for(reader, chosen, recorded_from, recorded_to, after))


async def entries_for(
    reader: Reader,
    chosen: Query,
    recorded_from: str | None = None,
    recorded_to: str | None = None,
    after: str | None = None,
) -> ReadAnswer[list[Entry]]:
    """A page of entries in scope. Raises `Problem` (403, 422, 503)."""
    scope = narrowed(scope_of(reader.caller), chosen.agency)
    full = chosen.type and as_full_type(chosen.type)
    query = replace(chosen, type=full, agency=scope.agency, after_index=index_after(after))
    if full == _REFUSED and scope.agency not in (None, PLATFORM):
        query = replace(query, agency=None, refusals_of=scope.agency)

    async def question(view: View) -> Page:
        asked = await _recorded(view, query, recorded_from, recorded_to)
        if scope.partners is None:
            return await find(await view.use(EVENT_INDEX), asked)
        return await found_by_partner(view, asked, scope)

    consumers = [EVENT_INDEX] if scope.partners is None else [EVENT_INDEX, REVENUE]
    found = await reader.read(consumers, question)
    last = found.document.next_cursor
    return ReadAnswer(found.document.events, found.state, None if last is None else cursor_of((last,)))


async def found_by_partner(view: View, query: Query, scope: AccessScope) -> Page:
    """A page of the partner's partnerships, without other agencies' entries, up to the ledger's position.

    Others can send any number of such entries: after `LOOKED_AT_MAX` the page ends, though it is not full.
    """
    end = view.positions[REVENUE.name]
    below = end if query.below_index is None else min(end, query.below_index)
    query = replace(query, subjects=await read.subjects(await view.use(REVENUE), scope), below_index=below)
    limit, looked_at, events = query.rows_max, 0, list[Entry]()
    while True:
        page = await find(await view.use(EVENT_INDEX), query)
        strangers = await read.strangers(await view.use(REVENUE), [event.index for event in page.events])
        events += [event for event in page.events if event.index not in strangers]
        looked_at += len(page.events)
        if len(events) > limit:
            return Page(events[:limit], events[limit - 1].index)
        if page.next_cursor is None or len(events) == limit or looked_at >= LOOKED_AT_MAX:
            return Page(events, page.next_cursor)
        query = replace(query, after_index=page.next_cursor, rows_max=PAGE_ROWS_MAX)


async def _recorded(view: View, query: Query, first: str | None, last: str | None) -> Query:
    """The query limited to entries that were recorded from `first` to `last`, both included."""
    if first is not None:
        before = datetime.fromisoformat(first.upper()) - timedelta(microseconds=1)
        since = await entries_recorded_by(view.connection, before)
        query = replace(query, from_index=max(since, query.from_index or 0))
    if last is not None:
        end = await entries_recorded_by(view.connection, datetime.fromisoformat(last.upper()))
        query = replace(query, below_index=end)
    return query
