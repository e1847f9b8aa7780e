"""`/v1/commitments`: the newest commitment to each read model in the log."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from fastapi import APIRouter, Response

from consumers.as_of.view import View
from consumers.commitments.claims import TYPE, Claim, claims_among, newest
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.event_index.read import Query, as_full_type, find
from consumers.read_api import documents
from consumers.read_api.reading import Reading, Shown
from consumers.read_api.routes import prepared
from consumers.registry import CONSUMERS
from infra.http.documents import INTEGER, TEXT, answer, shape
from infra.http.routes import RouteParts
from infra.log.bundle import by_bundle
from infra.log.reader import read_checked
from infra.postgres.outbox import PLATFORM

_TAKEN_TWICE: Final = 2 * (sum(len(consumer.tables) for consumer in CONSUMERS.values()) + 1)
"""Entries that are looked through: all read models, and the keys, twice."""
_COMMITMENTS: Final = answer(
    "By read model: after `log_index` entries it had so many rows and this hash.",
    {"type": "array", "items": shape(index=INTEGER, name=TEXT, log_index=INTEGER, rows=INTEGER, sha256=TEXT)},
)


def router(parts: RouteParts) -> APIRouter:
    """The factory of the entry point `yesser.routes`."""
    routes = APIRouter(tags=["log"], default_response_class=Response, dependencies=[prepared(parts)])

    @routes.get(
        "/v1/commitments",
        summary="The newest commitment to each read model",
        responses=documents.responses(_COMMITMENTS),
    )
    async def commitments(request: Reading) -> Response:
        """What the platform wrote into the log. `yesser audit commitments` folds the log again and compares."""
        (await request.caller()).require("log:read")
        return await request.answer([EVENT_INDEX], _newest)

    return routes


async def _newest(view: View) -> Shown:
    connection = await view.use(EVENT_INDEX)
    asked = Query(type=as_full_type(TYPE), agency=PLATFORM, rows_max=_TAKEN_TWICE, newest_first=True)
    claims: list[Claim] = []
    for own in by_bundle(sorted(row["index"] for row in (await find(connection, asked)).events)):
        entries = await read_checked(connection, own[0], own[-1] + 1 - own[0])
        claims += claims_among(own[0], entries)
    return Shown([asdict(claim) for claim in sorted(newest(claims, 1), key=lambda claim: claim.name)])
