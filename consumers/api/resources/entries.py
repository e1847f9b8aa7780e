"""What is in the log: `/v1/entries` by subject, type, event id and agency; `/v1/anomalies`: accepted events that
contradict what is known; `/v1/activity`: how much each agency sent; `/v1/refusals`: what was refused, why, and which
entry corrected it.

An agency reads its own, a partner the entries of its partnerships from agencies that own them, the office and auditors
all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from consumers.api.access import narrowed, programme_scope, scope_of
from consumers.api.parameters import (
    INTEGER_MAX,
    After,
    AgencyCode,
    Index,
    Limit,
    Text,
    cursor_of,
    index_after,
    indexes_after,
    text_after,
)
from consumers.api.reader import ReadAnswer, Reader, found, paged, read_route
from consumers.documents.access_scope import AccessScope
from consumers.documents.log.entries import PAGE_ROWS_MAX, Anomaly, Entry
from consumers.documents.programme.directory import Activity
from consumers.programme.plan.document import PLAN_CONSUMERS, anomalies_found
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.read import AnomalyFilter, activity
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.event_index.read import Page, as_full_type, find
from consumers.replay.event_index.read import Query as EntryQuery
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.validation.refusal import PLATFORM, REFUSED
from events.values.fields import TIME_PATTERN
from events.wire.envelope import full_type
from infra.log.reader import entries_recorded_before, entries_recorded_by
from infra.log.refusals.documents import Refusal, RefusalInFull
from infra.log.refusals.read import refusal as read_refusal
from infra.log.refusals.read import refusals as read_refusals

_REFUSED: Final = full_type(REFUSED)
LOOKED_AT_MAX: Final = 10_000
"""Entries that are looked at for a partner's page."""
RecordedFrom = Annotated[str | None, Query(pattern=TIME_PATTERN, description="Only recorded at this time or later.")]
RecordedTo = Annotated[str | None, Query(pattern=TIME_PATTERN, description="Only recorded at this time or earlier.")]
AfterIndex = Annotated[int | None, Query(ge=0, le=INTEGER_MAX, description="Only after the entry at this index.")]
NewestFirst = Annotated[bool, Query(description="The newest entry first; else in log order.")]

routes = APIRouter(tags=["log"], default_response_class=Response)


@read_route(routes, "/v1/entries", "entries", "Find entries", "Where events are in the log, in log order.")
async def entries_for(
    reader: Reader,
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
) -> ReadAnswer[list[Entry]]:
    """By subject, type (`service.launched` or in full), event id, agency and recorded time; all that are given must
    hold.

    The type `registrar.refused` with an agency: the refusals of this agency's records.
    """
    scope = narrowed(scope_of(reader.caller), agency)
    full, first = type and as_full_type(type), None if after_index is None else after_index + 1
    query = EntryQuery(
        subject, full, scope.agency, id, index_after(after), limit, newest_first=newest_first, from_index=first
    )
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


async def found_by_partner(view: View, query: EntryQuery, scope: AccessScope) -> Page:
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


async def _recorded(view: View, query: EntryQuery, first: str | None, last: str | None) -> EntryQuery:
    """The query limited to entries that were recorded from `first` to `last`, both included."""
    if first is not None:
        since = await entries_recorded_before(view.connection, datetime.fromisoformat(first.upper()))
        query = replace(query, from_index=max(since, query.from_index or 0))
    if last is not None:
        end = await entries_recorded_by(view.connection, datetime.fromisoformat(last.upper()))
        query = replace(query, below_index=end)
    return query


OfEntry = Annotated[int | None, Query(ge=0, le=INTEGER_MAX, description="Only what the entry at this index met.")]


_SUMMARY: Final = "What was accepted and does not fit what is known"


@read_route(routes, "/v1/anomalies", "anomalies", _SUMMARY, "The shape of `yesser anomalies --json`.")
async def anomalies_for(
    reader: Reader, agency: AgencyCode = None, index: OfEntry = None, limit: Limit = 100, after: After = None
) -> ReadAnswer[list[Anomaly]]:
    """In the order in which they were found. They changed nothing."""
    scope = narrowed(scope_of(reader.caller), agency)
    chosen = AnomalyFilter(scope.agency, after=indexes_after(after), index=index, rows_max=limit + 1)

    async def question(view: View) -> list[Anomaly]:
        asked = chosen
        if scope.partners is not None:
            subjects = await read.subjects(await view.use(REVENUE), scope)
            asked = replace(chosen, subjects=subjects, without_rules=read.STRANGERS_RULES)
        return await anomalies_found(view, asked)

    found = await reader.read(PLAN_CONSUMERS, question)
    return paged(found, limit, lambda row: (row.found_index, row.index))


_COUNTED: Final = "What was accepted, by full type, and refused, by agency."


@read_route(routes, "/v1/activity", "agencies_activity", "What each agency sent", _COUNTED)
async def activity_for(
    reader: Reader, agency: AgencyCode = None, limit: Limit = 100, after: After = None
) -> ReadAnswer[list[Activity]]:
    """Numbers of accepted events by type and of refused records, with the first and last index of each."""
    scope, key = narrowed(programme_scope(reader.caller), agency), text_after(after)
    return await reader.page(
        PROJECTIONS, lambda tables: activity(tables, scope.agency, key, limit + 1), limit, lambda row: (row.agency,)
    )


_NEWEST: Final = INTEGER_MAX + 1

IsOpen = Annotated[bool, Query(alias="open", description="Only those that no later entry has corrected.")]


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
