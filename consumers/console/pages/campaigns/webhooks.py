"""`/campaigns/webhooks/ID`: a webhook, the attempts to deliver to it, its secrets, and sending again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from consumers.console.pages.campaigns.acting import LOOK_EVERY_S, typed
from consumers.console.pages.campaigns.changing import act, change, look
from consumers.console.pages.campaigns.own_team import OWN_TEAM, OWN_WEBHOOK, webhook_of
from consumers.console.pages.campaigns.reporting import Faults, Given
from consumers.console.pages.campaigns.teams import TeamCode
from consumers.console.visit import Visit, Visiting
from consumers.console.web.language import western
from consumers.delivery.teams.inputs import ENDPOINT_PATTERN
from consumers.documents.document import document_of, documents_of
from consumers.documents.teams.webhooks import Attempt, WebhookAndSecrets
from events.faults.problems import Bilingual

ATTEMPTS_SHOWN: Final = 20
EXAMPLE_WAIT_S: Final = 3.0
"""The longest wait for the first attempt to deliver an example."""
WEBHOOK_FIELDS: Final = {"/url": "url", "/team": "url"}
SPAN_FIELDS: Final = {"/since": "since", "/until": "until"}
_RIYADH: Final = timezone(timedelta(hours=3))
_MESSAGE_ID: Final = re.compile(r"[0-9]{1,16}")
_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]+([0-9]{1,2}:[0-9]{2}))?")
_WRITE_TIME: Final = Bilingual(
    "اكتب تاريخًا ووقتًا بتوقيت الرياض، مثل \u20662026-11-26 08:00\u2069.",
    "Write a date and a time in Riyadh, such as 2026-11-26 08:00.",
)
EndpointId = Annotated[str, Path(pattern=ENDPOINT_PATTERN)]
Row = Mapping[str, Any]

routes = APIRouter()


def instant(text: str) -> str | None:
    """RFC 3339 of a date, or a date and a time, in Riyadh; None for anything else."""
    match = _TIME.fullmatch(western(text).strip())
    if match is None:
        return None
    try:
        found = datetime.strptime(f"{match[1]} {match[2] or '0:00'}", "%Y-%m-%d %H:%M")  # noqa: DTZ007
    except ValueError:
        return None
    return found.replace(tzinfo=_RIYADH).isoformat()


def redelivery(given: Given) -> tuple[dict[str, Any], Faults]:
    """The document of a redelivery, of one message or of a span, and what is wrong with the form."""
    if _MESSAGE_ID.fullmatch(given.get("message_id", "")):
        return {"message_id": int(given["message_id"])}, {}
    faults: Faults = {}
    found: dict[str, Any] = {}
    for name in ("since", "until"):
        text = given.get(name, "").strip()
        if text or name == "since":
            found[name] = instant(text)
            if found[name] is None:
                faults[name] = _WRITE_TIME
    return found, faults


@routes.get("/campaigns/teams/{team}/new-webhook", dependencies=[OWN_TEAM])
async def new_webhook_form(visit: Visiting, team: TeamCode) -> Response:
    found = await look(visit, f"/v1/teams/{team}")
    return visit.page("campaigns/webhook-new.html", team=found, given={}, faults={})


@routes.post("/campaigns/teams/{team}/new-webhook", dependencies=[OWN_TEAM])
async def add_webhook(visit: Visiting, request: Request, team: TeamCode) -> Response:
    """Show the secrets: they are not shown again, so there is no page to be led to."""
    given = await typed(request)
    body = {"team": team, "url": given.get("url", "").strip()}
    made, faults, status = await change(visit, "POST", "/v1/webhooks", body, WEBHOOK_FIELDS)
    if faults:
        found = await look(visit, f"/v1/teams/{team}")
        return visit.page("campaigns/webhook-new.html", status, team=found, given=given, faults=faults)
    return _secrets_page(visit, made)


@routes.get("/campaigns/webhooks/{endpoint_id}", dependencies=[OWN_WEBHOOK])
async def webhook_page(
    visit: Visiting,
    endpoint_id: EndpointId,
    message: Annotated[int | None, Query(ge=1)] = None,
    again: bool = False,
) -> Response:
    return await _webhook_page(visit, endpoint_id, {}, {}, message=message, again=again)


@routes.post("/campaigns/webhooks/{endpoint_id}/test", dependencies=[OWN_WEBHOOK])
async def send_example(visit: Visiting, endpoint_id: EndpointId) -> Response:
    sent = await act(visit, "POST", f"/v1/webhooks/{endpoint_id}/test")
    message = str(sent["message_id"])
    with suppress(TimeoutError):
        async with asyncio.timeout(EXAMPLE_WAIT_S):
            while True:
                if await look(visit, f"/v1/webhooks/{endpoint_id}/attempts", message=message):
                    break
                await asyncio.sleep(LOOK_EVERY_S)
    return visit.redirect(f"/campaigns/webhooks/{endpoint_id}?message={message}")


@routes.post("/campaigns/webhooks/{endpoint_id}/disable", dependencies=[OWN_WEBHOOK])
async def disable(visit: Visiting, endpoint_id: EndpointId) -> Response:
    await act(visit, "POST", f"/v1/webhooks/{endpoint_id}/disable")
    return visit.redirect(f"/campaigns/webhooks/{endpoint_id}")


@routes.post("/campaigns/webhooks/{endpoint_id}/enable", dependencies=[OWN_WEBHOOK])
async def enable(visit: Visiting, endpoint_id: EndpointId) -> Response:
    await act(visit, "POST", f"/v1/webhooks/{endpoint_id}/enable")
    return visit.redirect(f"/campaigns/webhooks/{endpoint_id}")


@routes.post("/campaigns/webhooks/{endpoint_id}/rotate", dependencies=[OWN_WEBHOOK])
async def rotate(visit: Visiting, request: Request, endpoint_id: EndpointId) -> Response:
    """Show the new secrets, once."""
    given = await typed(request)
    body = {"end_old": "end_old" in given}
    made, faults, status = await change(visit, "POST", f"/v1/webhooks/{endpoint_id}/rotate", body, {})
    if faults:
        return await _webhook_page(visit, endpoint_id, {}, faults, status=status)
    return _secrets_page(visit, made)


@routes.post("/campaigns/webhooks/{endpoint_id}/redeliver", dependencies=[OWN_WEBHOOK])
async def redeliver(visit: Visiting, request: Request, endpoint_id: EndpointId) -> Response:
    given = await typed(request)
    body, faults = redelivery(given)
    status = 422
    if not faults:
        path = f"/v1/webhooks/{endpoint_id}/redeliver"
        _, faults, status = await change(visit, "POST", path, body, SPAN_FIELDS)
    if faults:
        return await _webhook_page(visit, endpoint_id, given, faults, status=status)
    return visit.redirect(f"/campaigns/webhooks/{endpoint_id}?again=true")


async def _webhook_page(
    visit: Visit,
    endpoint_id: str,
    given: Given,
    faults: Faults,
    *,
    status: int = 200,
    message: int | None = None,
    again: bool = False,
) -> Response:
    found, attempts = await asyncio.gather(
        webhook_of(visit, endpoint_id),
        look(visit, f"/v1/webhooks/{endpoint_id}/attempts", limit=str(ATTEMPTS_SHOWN)),
    )
    rows = documents_of(Attempt, attempts)
    return visit.page(
        "campaigns/webhook.html",
        status,
        webhook=document_of(WebhookAndSecrets, found, agency=visit.caller.holder),
        attempts=rows,
        message=message,
        example=next((row for row in rows if row.message_id == message), None),
        again=again,
        given=given,
        faults=faults,
    )


def _secrets_page(visit: Visit, made: Row) -> Response:
    return visit.page("campaigns/secrets.html", made=made)
