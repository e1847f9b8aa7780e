"""`/v1/refusals`: what was refused, why, and which entry corrected it. An agency reads its own; the office and auditors
all."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response

from consumers.api import documents
from consumers.api.access import narrowed, programme_scope
from consumers.api.cursor import INTEGER_MAX, index_after
from consumers.api.parameters import After, AgencyCode, Index, Limit
from consumers.api.reader import Answer, Reader, paged
from consumers.api.reading import Reading, found
from consumers.documents.document import document_of
from consumers.documents.log.entries import Correction, Refusal, RefusalInFull
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from events.wire.entry import parse_entry
from infra.json_documents import members
from infra.log.proofs import PROOF_PREFIX
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.api.resources.log", "refusals.sql")
_NEWEST: Final = INTEGER_MAX + 1

IsOpen = Annotated[bool, Query(description="Only those that no later entry has corrected.")]

routes = APIRouter(tags=["log"], default_response_class=Response)


@routes.get(
    "/v1/refusals",
    summary="What was refused, and what corrected it",
    responses=documents.answers("Refusals, the newest first.", list[Refusal], paged=True),
)
async def refusals(
    request: Reading, agency: AgencyCode = None, open: IsOpen = False, limit: Limit = 100, after: After = None
) -> Response:
    """The newest first. A correction is a record sent again for the refusal, or a later event with the same id."""
    return await request.respond(lambda reader: refusals_for(reader, agency, limit, after, is_open=open))


async def refusals_for(
    reader: Reader, agency: str | None, limit: int, after: str | None = None, *, is_open: bool = False
) -> Answer[list[Refusal]]:
    """A page of refusals, of this agency. Raises `Problem` (403, 422, 503)."""
    scope = narrowed(programme_scope(reader.caller), agency)
    before = _NEWEST if after is None else index_after(after)

    async def question(view: View) -> list[Refusal]:
        return await _rows(await view.use(EVENT_INDEX), view, scope.agency, before, limit + 1, is_open=is_open)

    return paged(await reader.read([EVENT_INDEX], question), limit, lambda row: (row.index,))


@routes.get(
    "/v1/refusals/{index}",
    summary="A refusal",
    responses=documents.answers("A refusal with every fault that its entry lists.", RefusalInFull),
)
async def refusal(request: Reading, index: Index) -> Response:
    """Every fault that the entry lists, and the entry that corrected it."""
    return await request.respond(lambda reader: refusal_for(reader, index))


async def refusal_for(reader: Reader, index: int) -> Answer[RefusalInFull]:
    """Raises `Problem` (403, 404, 503)."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> RefusalInFull:
        connection = await view.use(EVENT_INDEX)
        rows = await _rows(connection, view, scope.agency, index + 1, 1, is_open=False)
        row = found(rows[0] if rows and rows[0].index == index else None)
        (raw,) = await read_checked(view.connection, index, 1)
        entry = parse_entry(index, raw)
        holder = await connection.fetchval(_SQL["holder"], row.agency, row.claimed_id)
        corrected = row.accepted_index
        how: Literal["redrive", "same-id"] = "same-id" if corrected == holder else "redrive"
        return RefusalInFull(
            **members(row),
            recorded=entry.recorded,
            sha256=entry.data.get("sha256"),
            unlisted=entry.data["problem"].get("unlisted", 0),
            accepted=None if corrected is None else Correction(index=corrected, by=how),
            id_held_by=holder if holder is not None and holder < index else None,
        )

    return await reader.read([EVENT_INDEX], question)


async def _rows(
    connection: Connection, view: View, agency: str | None, before: int, rows_max: int, *, is_open: bool
) -> list[Refusal]:
    rows = await connection.fetch(_SQL["list"], agency, before, is_open, view.log_index, rows_max)
    return [document_of(Refusal, row, proof=f"{PROOF_PREFIX}{row['index']}") for row in rows]
