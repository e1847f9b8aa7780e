"""`/v1/commitments`: the newest commitment to each read model in the log."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from consumers.api.reader import ReadAnswer, Reader, Reading, Reads, responses
from consumers.api.routes import prepared
from consumers.documents.log.commitments import Claim
from consumers.proof.commitments.check import newest_in_log
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from infra.http.documents import answer, schema_of
from infra.http.routes import RouteParts

_COMMITMENTS: Final = answer(
    "By read model: its number of rows and its hash after `log_index` entries.",
    schema_of(list[Claim]),
)


def router(parts: RouteParts, reads: Reads | None = None) -> APIRouter:
    """The factory of the entry point `yesser.routes`."""
    routes = APIRouter(tags=["log"], default_response_class=Response, dependencies=[prepared(parts, reads)])

    @routes.get(
        "/v1/commitments",
        summary="The newest commitment to each read model",
        responses=responses(_COMMITMENTS),
    )
    async def commitments(request: Reading) -> Response:
        """What the platform wrote into the log. `yesser audit commitments` folds the log again and compares."""
        return await request.respond(commitments_for)

    return routes


async def commitments_for(reader: Reader) -> ReadAnswer[list[Claim]]:
    """Raises `Problem` (403, 503)."""
    reader.caller.require("log:read")
    return await reader.read([EVENT_INDEX], lambda view: newest_in_log(view.connection))
