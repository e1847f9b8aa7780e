"""`/campaigns/webhooks/ID`: a webhook, the attempts to deliver to it, its secrets, and sending again."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from msgspec import UNSET, Struct, UnsetType, convert

from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.campaigns.report_pages import LOOK_EVERY_S, Faults, Given
from consumers.console.pages.campaigns.teams import (
    OWN_TEAM,
    OWN_WEBHOOK,
    TeamCode,
    act,
    change,
    look,
    look_all,
    webhook_of,
)
from consumers.console.web.language import instant_of
from consumers.delivery.teams.inputs import ENDPOINT_PATTERN
from consumers.documents.teams.teams import Team
from consumers.documents.teams.webhooks import Attempt
from events.values.bilingual import Bilingual

ATTEMPTS_SHOWN: Final = 20
EXAMPLE_WAIT_S: Final = 3.0
"""The longest wait for the first attempt to deliver an example."""
_MESSAGE_ID: Final = re.compile(r"[0-9]{1,16}")
_WRITE_TIME: Final = Bilingual(
    "اكتب تاريخًا ووقتًا بتوقيت الرياض، مثل 2026-11-26 08:00.",
    "Write a date and a time in Riyadh, such as 2026-11-26 08:00.",
)
EndpointId = Annotated[str, Path(pattern=ENDPOINT_PATTERN)]

routes = APIRouter()


class TypedRedelivery(Struct, frozen=True, kw_only=True):
    """What is sent again: one message, or those of a span."""

    message_id: int | UnsetType = UNSET
    since: datetime | UnsetType = UNSET
    until: datetime | UnsetType = UNSET


class NewSecrets(Struct, frozen=True):
    """A webhook's, as the gateway shows them once."""

    endpoint_id: str
    secret: str
    public_key: str


def redelivery(given: Given) -> TypedRedelivery | Faults:
    """The document of the form, or what is wrong with it."""
    if _MESSAGE_ID.fullmatch(given.get("message_id", "")):
        return TypedRedelivery(message_id=int(given["message_id"]))
    since, until = (given.get(name, "").strip() for name in ("since", "until"))
    first, last = instant_of(since), instant_of(until) if until else UNSET
    if first is not None and last is not None:
        return TypedRedelivery(since=first, until=last)
    return {name: _WRITE_TIME for name, found in (("since", first), ("until", last)) if found is None}


@routes.get("/campaigns/teams/{team}/new-webhook", dependencies=[OWN_TEAM])
async def new_webhook_form(visit: Visiting, team: TeamCode) -> Response:
    return await _new_page(visit, team, {}, {})


@routes.post("/campaigns/teams/{team}/new-webhook", dependencies=[OWN_TEAM])
async def add_webhook(visit: Visiting, team: TeamCode) -> Response:
    """Show the secrets: they are not shown again, so there is no page to be led to."""
    given = await visit.typed()
    body = {"team": team, "url": given.get("url", "").strip()}
    made = await change(visit, "POST", "/v1/webhooks", body, ["url"])
    if made.faults:
        return await _new_page(visit, team, given, made.faults, made.status)
    return _secrets_page(visit, made.document)


async def _new_page(visit: Visit, team: str, given: Given, faults: Faults, status: int = 200) -> Response:
    found = await look(visit, Team, f"/v1/teams/{team}")
    return visit.page("campaigns/webhook-new.html", status, team=found, given=given, faults=faults)


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
            while not await _attempts(visit, endpoint_id, message=message):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)
    return visit.redirect(f"/campaigns/webhooks/{endpoint_id}?message={message}")


@routes.post("/campaigns/webhooks/{endpoint_id}/enable", dependencies=[OWN_WEBHOOK])
@routes.post("/campaigns/webhooks/{endpoint_id}/disable", dependencies=[OWN_WEBHOOK])
async def disable_or_enable(visit: Visiting, endpoint_id: EndpointId) -> Response:
    what = visit.request.url.path.rpartition("/")[2]
    await act(visit, "POST", f"/v1/webhooks/{endpoint_id}/{what}")
    return visit.redirect(f"/campaigns/webhooks/{endpoint_id}")


@routes.post("/campaigns/webhooks/{endpoint_id}/rotate", dependencies=[OWN_WEBHOOK])
async def rotate(visit: Visiting, endpoint_id: EndpointId) -> Response:
    """Show the new secrets, once."""
    given = await visit.typed()
    body = {"end_old": "end_old" in given}
    made = await change(visit, "POST", f"/v1/webhooks/{endpoint_id}/rotate", body)
    if made.faults:
        return await _webhook_page(visit, endpoint_id, {}, made.faults, status=made.status)
    return _secrets_page(visit, made.document)


@routes.post("/campaigns/webhooks/{endpoint_id}/redeliver", dependencies=[OWN_WEBHOOK])
async def redeliver(visit: Visiting, endpoint_id: EndpointId) -> Response:
    given = await visit.typed()
    body = redelivery(given)
    if isinstance(body, dict):
        return await _webhook_page(visit, endpoint_id, given, body, status=422)
    made = await change(visit, "POST", f"/v1/webhooks/{endpoint_id}/redeliver", body, ["since", "until"])
    if made.faults:
        return await _webhook_page(visit, endpoint_id, given, made.faults, status=made.status)
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
    found, rows = await asyncio.gather(
        webhook_of(visit, endpoint_id), _attempts(visit, endpoint_id, limit=str(ATTEMPTS_SHOWN))
    )
    return visit.page(
        "campaigns/webhook.html",
        status,
        webhook=found,
        attempts=rows,
        message=message,
        example=next((row for row in rows if row.message_id == message), None),
        again=again,
        given=given,
        faults=faults,
    )


async def _attempts(visit: Visit, endpoint_id: str, **query: str) -> list[Attempt]:
    return await look_all(visit, Attempt, f"/v1/webhooks/{endpoint_id}/attempts", **query)


def _secrets_page(visit: Visit, made: Any) -> Response:
    """`made`: the gateway's answer."""
    return visit.page("campaigns/secrets.html", made=convert(made, NewSecrets))
