"""The verdicts on an agency's events, and which of its sequence numbers are missing.

An agency reads its own; the office and auditors, who may read the log, name the agency. Anything else is *not found*,
whether it exists or not.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from msgspec import UNSET, Struct

from events.validation.verdicts import Agency
from events.values.fields import CODE_PATTERN
from events.wire.envelope import EVENT_ID_PATTERN
from infra.http.callers import Caller
from infra.http.documents import problems
from infra.http.problems import Problem
from infra.json_documents import members, to_json
from infra.kafka.client_config import agency_topic
from infra.postgres.verdicts import read_topic_state
from infra.process.tasks import pause
from producers.gateway.answers import COMPLETENESS, RECEIPTS, STATUS, EventStatus, ReceiptRow, Receipts, halted_of
from producers.gateway.routes.parts import GatewayParts, PartsDep
from producers.gateway.verdicts import add_records, anomalies_of, by_id, by_offsets, completeness

JSON: Final = "application/json"
PAGE_MAX: Final = 1_000
_INDEX_MAX: Final = 2**53
_EVENT_ID: Final = re.compile(EVENT_ID_PATTERN.strip("^$"))
_CODE: Final = re.compile(CODE_PATTERN.strip("^$"))
_OFFSET: Final = re.compile(r"[0-9]{1,15}")

Agencies = Annotated[
    str | None, Query(description="An agency's code; your own without it. Another's needs the scope log:read.")
]
Month = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$",
        description="Only the numbers of this month, YYYY-MM: Gregorian, by recorded time in Riyadh.",
        examples=["2026-11"],
    ),
]
Address = Annotated[str | None, Query(description="The address of a receipt: exactly that record's verdict.")]
Since = Annotated[int, Query(ge=0, le=_INDEX_MAX, description="The cursor: `next` of the page before, at first 0.")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Maximum number of rows of a page.")]
Wait = Annotated[float, Query(ge=0, description="Seconds to wait for the first verdict (a long poll).")]


routes = APIRouter(tags=["verdicts"])


@routes.get(
    "/v1/events/{id}",
    summary="The verdict on an event",
    response_class=Response,
    responses={200: STATUS, **problems(400, 401, 403, 404, 429, 503)},
)
async def status(
    parts: PartsDep, request: Request, id: str, address: Address = None, agency: Agencies = None
) -> Response:
    """Pending, registered (with index and proof), duplicate (of the first entry), refused (with every fault), or lost.

    By id alone: what the log has under this id. With the `address` of a receipt: the verdict on that record. What is
    registered and contradicts what is known is an anomaly: it changed nothing. The figures say so, a moment later than
    the log: `applied` is false until then.
    """
    whose = _whose(await parts.access.caller(request), agency)
    return _json(await _status(parts, whose, id, address))


@routes.get(
    "/v1/receipts",
    summary="Verdicts on everything sent, in order",
    response_class=Response,
    responses={200: RECEIPTS, **problems(400, 401, 403, 404, 422, 429, 503)},
)
async def receipts(
    parts: PartsDep, request: Request, since: Since = 0, limit: Limit = 100, wait_s: Wait = 0, agency: Agencies = None
) -> Response:
    """One row for each record of the agency's topic that has its verdict or was lost, however sent, in order."""
    caller = await parts.access.caller(request)
    whose = _whose(caller, agency)
    if wait_s:
        with parts.long_polls.using(caller.quota_name):
            await _wait_for_verdict(parts, request, whose, since, min(wait_s, parts.settings.gateway_long_poll_max_s))
    return _json(await _page(parts, whose, since, limit))


@routes.get(
    "/v1/completeness",
    summary="Sequence numbers seen and missing",
    response_class=Response,
    responses={200: COMPLETENESS, **problems(400, 401, 403, 404, 422, 429, 503)},
)
async def seen(parts: PartsDep, request: Request, month: Month = None, agency: Agencies = None) -> Response:
    """Which `sequence` numbers were read, whatever their verdict, and which are missing below the highest.

    The numbers of a month are those above the highest read before it, up to the highest read in it: each number
    belongs to one month, and a late one fills its gap there.
    """
    whose = _whose(await parts.access.caller(request), agency)
    async with parts.connection() as connection:
        return _json(await completeness(connection, whose.code, month))


async def _status(parts: GatewayParts, whose: Agency, id_: str, address: str | None) -> EventStatus:
    if not _EVENT_ID.fullmatch(id_):
        raise Problem("not-found")
    async with parts.connection() as connection:
        offset = parts.receiver.recent.offset_of(whose.code, id_) if address is None else _offset(whose, address)
        row: ReceiptRow | None = None
        if offset is not None:
            (row,) = await by_offsets(connection, whose.code, [offset])
            await add_records(connection, [row])
            if row.id not in (UNSET, id_):  # a topic that was made anew has other records at the same offsets
                row = None
        if address is None and (row is None or row.state == "lost"):
            row = await by_id(connection, whose, id_) or row
        if row is None:
            raise Problem("not-found")
        status = EventStatus(**{**members(row), "id": id_})
        if row.state in ("registered", "duplicate") and row.index is not UNSET:
            anomalies = await anomalies_of(connection, row.index)
            status.applied = anomalies is not None
            status.anomalies = UNSET if anomalies is None else anomalies
    return status


async def _wait_for_verdict(parts: GatewayParts, request: Request, whose: Agency, since: int, wait_s: float) -> None:
    """Until a record at or above `since` has its verdict, at most `wait_s`; less if the client or the gateway goes."""
    deadline = time.monotonic() + wait_s
    with parts.verdicts.waiting(agency_topic(whose.code)) as woken:
        gone = asyncio.create_task(_disconnected(request))
        gone.add_done_callback(lambda _: woken.set())
        try:
            while (left_s := deadline - time.monotonic()) > 0 and not parts.stop.is_set() and not gone.done():
                woken.clear()  # before the look: what comes during it sets the event again
                if await _is_read(parts, whose, since):
                    return
                await pause(woken, left_s)
        finally:
            gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _is_read(parts: GatewayParts, whose: Agency, since: int) -> bool:
    """Whether a record at or above `since` has its verdict."""
    async with parts.connection() as connection:
        return (await read_topic_state(connection, agency_topic(whose.code))).next_offset > since


async def _page(parts: GatewayParts, whose: Agency, since: int, limit: int) -> Receipts:
    topic = agency_topic(whose.code)
    async with parts.connection() as connection:
        reading = await read_topic_state(connection, topic)
        end = min(reading.next_offset, since + limit)
        verdicts = await by_offsets(connection, whose.code, range(since, end)) if since < end else []
        await add_records(connection, verdicts)
    return Receipts(
        receipts=verdicts,
        next=max(since, end),
        read_up_to=reading.next_offset,
        halted=halted_of(reading.halted_reason),
        paused=UNSET if reading.paused is None else reading.paused.document(),
    )


def _whose(caller: Caller, agency: str | None) -> Agency:
    """The agency whose events are asked for. Raises `Problem` unless the caller may read them."""
    if agency is None or (caller.agency is not None and agency == caller.agency.code):
        caller.require("events:read")
        return caller.require_agency()
    caller.require("log:read")
    if not _CODE.fullmatch(agency):
        raise Problem("not-found")
    return Agency(agency, "agency")


def _offset(whose: Agency, address: str) -> int:
    """The offset of an address in the agency's own topic."""
    prefix = f"{agency_topic(whose.code)}/0/"
    text = address.removeprefix(prefix)
    if not address.startswith(prefix) or not _OFFSET.fullmatch(text):
        raise Problem("not-found")
    return int(text)


def _json(document: Struct) -> Response:
    return Response(to_json(document), media_type=JSON)
