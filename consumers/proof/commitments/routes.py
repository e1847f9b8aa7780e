"""`/v1/commitments`: the newest commitment to each read model in the log."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from consumers.api.reader import ReadAnswer, Reader, read_route
from consumers.api.routes import router_of
from consumers.documents.log.commitments import Claim
from consumers.proof.commitments.check import newest_in_log
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX

routes: Final = APIRouter(tags=["log"], default_response_class=Response)
router: Final = router_of(routes)


@read_route(
    routes,
    "/v1/commitments",
    "commitments",
    "The newest commitment to each read model",
    "By read model: its number of rows and its hash after `log_index` entries.",
)
async def commitments_for(reader: Reader) -> ReadAnswer[list[Claim]]:
    """What the platform wrote into the log. `yesser audit commitments` folds the log again and compares.\f

    Raises `Problem` (403, 503).
    """
    reader.caller.require("log:read")
    return await reader.read([EVENT_INDEX], lambda view: newest_in_log(view.connection))
