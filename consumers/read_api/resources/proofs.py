"""`/v1/proofs/{index}`: an entry's bytes with the proof that it is in the log, within the caller's scope."""

from __future__ import annotations

import base64
from typing import Final

import orjson
from fastapi import APIRouter, Response

from consumers.access_scope import EVERYTHING, AccessScope
from consumers.as_of.view import NotStarted, live_view
from consumers.read_api import documents
from consumers.read_api.parameters import Index
from consumers.read_api.reading import JSON, Reading
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import parse_entry
from infra.http.problems import Problem
from infra.kafka.client_config import agency_topic
from infra.log.proofs import PROOF_PREFIX, StoredHashes, inclusion_proof
from infra.log.reader import read_entries, read_leaves
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.read_api.resources", "proofs.sql")


routes = APIRouter(tags=["log"], default_response_class=Response)


@routes.get(
    PROOF_PREFIX + "{index}",
    summary="An entry with the proof that it is in the log",
    responses=documents.proof_responses(),
)
async def proof(request: Reading, index: Index) -> Response:
    """The entry's bytes and its inclusion proof (RFC 6962) under the newest signed checkpoint."""
    scope = await request.scope()
    async with request.parts.connection() as connection:
        raw = await read_entries(connection, index, 1)
        if not raw or not await _is_within(connection, scope, index, raw[0]):
            raise Problem("not-found")
        checkpoint = await connection.fetchrow(_SQL["checkpoint"])
        if checkpoint is None or index >= checkpoint["size"]:
            raise Problem("not-found", retry_after_s=1)
        path = await inclusion_proof(StoredHashes(connection), index, checkpoint["size"])
        leaf = await read_leaves(connection, index, 1)
    document = {
        "index": index,
        "entry": raw[0].decode(),
        "leaf": base64.b64encode(leaf).decode(),
        "size": checkpoint["size"],
        "path": [base64.b64encode(step).decode() for step in path],
        "checkpoint": checkpoint["note"],
    }
    return Response(orjson.dumps(document), media_type=JSON)


async def _is_within(connection: Connection, scope: AccessScope, index: int, raw: bytes) -> bool:
    """An agency's entries are those from its topic, refusals included."""
    if scope == EVERYTHING:
        return True
    entry = parse_entry(index, raw)
    if scope.partner is None:
        return scope.agency is not None and entry.address.partition("/")[0] == agency_topic(scope.agency)
    try:
        async with live_view(connection, [REVENUE]) as looked_at:
            ledger = await looked_at.use(REVENUE)
            if index >= looked_at.log_index or entry.subject not in await read.subjects(ledger, scope):
                return False
            return index not in await read.strangers(ledger, [entry.subject])
    except NotStarted:
        return False
