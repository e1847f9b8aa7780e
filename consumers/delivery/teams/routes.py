"""`/v1/teams`, `/v1/webhooks`, `/v1/subscriptions`: an agency manages its own teams. What is another's is not found."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from msgspec.structs import replace

from consumers.delivery.calendar.addresses import new_address, revoke_address
from consumers.delivery.teams import letter_pages, openapi
from consumers.delivery.teams.endpoints import (
    add_endpoint,
    attempts_of,
    disable,
    enable,
    endpoints_of,
    redeliver,
    rotate,
    send_example,
)
from consumers.delivery.teams.inputs import (
    ENDPOINT_PATTERN,
    TEAM_PATTERN,
    NewContacts,
    NewSubscription,
    NewTeam,
    NewWebhook,
    Redelivery,
    Rotation,
)
from consumers.delivery.teams.requests import Asked, Changes, answer, own
from consumers.delivery.teams.subscriptions import (
    add_subscription,
    backfill_from,
    end_subscription,
    require_known_rules,
    subscriptions_of,
)
from consumers.delivery.teams.teams import add_team, close_team, contacts_of, one_team, set_contacts, teams_of
from consumers.delivery.webhooks.addresses import destinations
from consumers.delivery.webhooks.redelivery import Wanted
from consumers.documents.teams import teams
from consumers.read_api.cursor import INTEGER_MAX, index_after, text_after
from consumers.read_api.parameters import After, Limit
from infra.http.routes import RouteParts
from infra.postgres.connection import Connection

TAG: Final = "teams"

Team = Annotated[str, Path(pattern=TEAM_PATTERN)]
Endpoint = Annotated[str, Path(pattern=ENDPOINT_PATTERN)]
Subscription = Annotated[int, Path(ge=1, le=INTEGER_MAX)]
Message = Annotated[int | None, Query(ge=1, le=INTEGER_MAX, description="Only attempts for the message with this id.")]
Ended = Annotated[bool, Query(description="Also those that have ended or are disabled.")]

routes = APIRouter(tags=[TAG], default_response_class=Response)


def router(parts: RouteParts) -> APIRouter:
    """All routes; the gateway loads them by the entry point `yesser.routes`."""
    changes = Changes(parts)

    async def prepare(request: Request) -> None:
        request.state.team_changes = changes

    prepared = APIRouter(dependencies=[Depends(prepare)])
    prepared.include_router(routes)
    prepared.include_router(letter_pages.router(changes))
    return prepared


@routes.get("/v1/teams", summary="Your teams", **openapi.reads(openapi.TEAMS, paged=True))
async def list_teams(asked: Asked, ended: Ended = False, limit: Limit = 100, after: After = None) -> Response:
    """The teams of your agency."""
    agency, start = await asked.agency(), text_after(after)
    rows = await asked.read(lambda connection: teams_of(connection, agency, closed=ended, after=start, limit=limit + 1))
    return asked.page(rows, limit, "team")


@routes.post("/v1/teams", summary="Add a team", **openapi.changes(201, openapi.TEAM, NewTeam))
async def post_team(asked: Asked) -> Response:
    """Add a team, or open a former one again. Contacts are addresses of desks, never of persons.

    A team gets nothing until it subscribes.
    """
    agency, new = await asked.sent(NewTeam)
    await asked.change(lambda desk: add_team(desk, agency, new))
    return answer(await _team(asked, agency, new.team), 201)


@routes.get("/v1/teams/{team}", summary="A team", **openapi.reads(openapi.TEAM))
async def get_team(asked: Asked, team: Team) -> Response:
    """A team of your agency, also a former one."""
    return answer(await _team(asked, await asked.agency(), team))


@routes.delete("/v1/teams/{team}", summary="Close a team", **openapi.changes(204, openapi.DONE))
async def delete_team(asked: Asked, team: Team) -> Response:
    """Its subscriptions and its calendar's address end, its webhooks are disabled, its contacts are deleted."""
    agency = await asked.agency()
    await asked.change(lambda desk: close_team(desk, agency, team))
    return Response(status_code=204)


@routes.get("/v1/teams/{team}/contacts", summary="A team's contacts", **openapi.reads(openapi.CONTACTS))
async def get_contacts(asked: Asked, team: Team) -> Response:
    """The addresses of a team: the first is written to first, the next on escalation.

    Letters are sent to an address once its reader has confirmed it, or if its domain is registered for your agency.
    """
    return answer(await _contacts(asked, await asked.agency(), team))


@routes.put(
    "/v1/teams/{team}/contacts",
    summary="Replace a team's contacts",
    **openapi.changes(200, openapi.CONTACTS, NewContacts),
)
async def put_contacts(asked: Asked, team: Team) -> Response:
    """Replace all addresses of a team. Those that wait for a confirmation are asked again, at most once a day."""
    agency, new = await asked.sent(NewContacts)
    await asked.change(lambda desk: set_contacts(desk, agency, team, new.contacts))
    return answer(await _contacts(asked, agency, team))


@routes.post(
    "/v1/teams/{team}/calendar-address",
    summary="Make a calendar's address",
    **openapi.changes(201, openapi.CALENDAR_ADDRESS),
)
async def post_calendar_address(asked: Asked, team: Team) -> Response:
    """The address under which a calendar program reads the team's due dates without a token.

    It is not shown again, and an earlier one ends.
    """
    agency, settings = await asked.agency(), asked.changes.parts.settings
    address = await asked.change(lambda desk: new_address(desk.connection, settings, agency, team, by=desk.by))
    return answer({"team": team, "address": address}, 201)


@routes.delete(
    "/v1/teams/{team}/calendar-address", summary="Revoke a calendar's address", **openapi.changes(204, openapi.DONE)
)
async def delete_calendar_address(asked: Asked, team: Team) -> Response:
    """Nothing can be read under it any more."""
    agency = await asked.agency()
    await asked.change(lambda desk: revoke_address(desk.connection, agency, team, by=desk.by))
    return Response(status_code=204)


@routes.get("/v1/webhooks", summary="Your webhooks", **openapi.reads(openapi.WEBHOOKS, paged=True))
async def list_webhooks(asked: Asked, ended: Ended = False, limit: Limit = 100, after: After = None) -> Response:
    """The webhooks of your teams, without their secrets."""
    agency, start = await asked.agency(), text_after(after)
    rows = await asked.read(
        lambda connection: endpoints_of(connection, agency, ended=ended, after=start, limit=limit + 1)
    )
    return asked.page(rows, limit, "endpoint_id")


@routes.post("/v1/webhooks", summary="Add a webhook", **openapi.changes(201, openapi.SECRETS, NewWebhook))
async def post_webhook(asked: Asked) -> Response:
    """Register a URL of a team. The answer has its secrets, which are not shown again.

    Deliveries are signed by Standard Webhooks, with the secret (`v1`) and with the key of the public key (`v1a`).
    """
    agency, new = await asked.sent(NewWebhook)
    allowed = destinations(asked.changes.parts.settings)
    return answer(await asked.change(lambda desk: add_endpoint(desk, agency, new, allowed)), 201)


@routes.post(
    "/v1/webhooks/{endpoint_id}/rotate",
    summary="Give a webhook new secrets",
    **openapi.changes(200, openapi.SECRETS, Rotation),
)
async def post_rotation(asked: Asked, endpoint_id: Endpoint) -> Response:
    """The new secrets sign at once. The old ones sign for 24 hours more, or no more with `end_old`."""
    agency, rotation = await asked.sent(Rotation)
    return answer(await asked.change(lambda desk: rotate(desk, agency, endpoint_id, end_old=rotation.end_old)))


@routes.post(
    "/v1/webhooks/{endpoint_id}/test", summary="Send an example to a webhook", **openapi.changes(202, openapi.EXAMPLE)
)
async def post_example(asked: Asked, endpoint_id: Endpoint) -> Response:
    """An example of `campaign.triggered`, signed like every delivery, with the header `yesser-example: true`."""
    agency = await asked.agency()
    return answer(await asked.change(lambda desk: send_example(desk, agency, endpoint_id)), 202)


@routes.get(
    "/v1/webhooks/{endpoint_id}/attempts", summary="Attempts to deliver to a webhook", **openapi.reads(openapi.ATTEMPTS)
)
async def get_attempts(asked: Asked, endpoint_id: Endpoint, message: Message = None, limit: Limit = 50) -> Response:
    """The newest attempts: when, for which event, what your system answered, and how long it took."""
    agency = await asked.agency()
    return answer(await asked.read(lambda connection: attempts_of(connection, agency, endpoint_id, message, limit)))


@routes.post(
    "/v1/webhooks/{endpoint_id}/redeliver",
    summary="Send messages to a webhook again",
    **openapi.changes(202, openapi.REDELIVERED, Redelivery),
)
async def post_redelivery(asked: Asked, endpoint_id: Endpoint) -> Response:
    """One message, or those that were made in a span of time, each event once; those that wait are left out.

    They have the ids that your system knows, and the header `yesser-replay: true`.
    """
    agency, chosen = await asked.sent(Redelivery)
    wanted = Wanted(chosen.message_id, *chosen.span())
    return answer(await asked.change(lambda desk: redeliver(desk, agency, endpoint_id, wanted)), 202)


@routes.post("/v1/webhooks/{endpoint_id}/disable", summary="Disable a webhook", **openapi.changes(204, openapi.DONE))
async def post_disabled(asked: Asked, endpoint_id: Endpoint) -> Response:
    """Nothing more is sent to it until it is enabled again."""
    agency = await asked.agency()
    await asked.change(lambda desk: disable(desk, agency, endpoint_id))
    return Response(status_code=204)


@routes.post(
    "/v1/webhooks/{endpoint_id}/enable", summary="Enable a webhook again", **openapi.changes(204, openapi.DONE)
)
async def post_enabled(asked: Asked, endpoint_id: Endpoint) -> Response:
    """What is new is sent to it again, also after it was disabled because it answered 410 or kept failing."""
    agency = await asked.agency()
    await asked.change(lambda desk: enable(desk, agency, endpoint_id))
    return Response(status_code=204)


@routes.get("/v1/subscriptions", summary="Your subscriptions", **openapi.reads(openapi.SUBSCRIPTIONS, paged=True))
async def list_subscriptions(asked: Asked, ended: Ended = False, limit: Limit = 100, after: After = None) -> Response:
    """What each of your teams gets, and by which route."""
    agency, start = await asked.agency(), index_after(after)
    rows = await asked.read(
        lambda connection: subscriptions_of(connection, agency, ended=ended, after=start, limit=limit + 1)
    )
    return asked.page(rows, limit, "subscription_id")


@routes.post(
    "/v1/subscriptions", summary="Subscribe a team", **openapi.changes(201, openapi.SUBSCRIBED, NewSubscription)
)
async def post_subscription(asked: Asked) -> Response:
    """Subscribe a team to campaigns from now on. With `from_index` or `from_date` it also gets, marked as replays, what
    is in the log from there on.

    Without `rules`, `services` or `channels` it gets all; without `types`, everything but airings.
    """
    agency, new = await asked.sent(NewSubscription)

    async def beginning(connection: Connection) -> int | None:
        require_known_rules(new)
        return await backfill_from(connection, new)

    backfill = await asked.read(beginning)
    return answer(await asked.change(lambda desk: add_subscription(desk, agency, new, backfill)), 201)


@routes.delete(
    "/v1/subscriptions/{subscription_id}", summary="End a subscription", **openapi.changes(204, openapi.DONE)
)
async def delete_subscription(asked: Asked, subscription_id: Subscription) -> Response:
    """Messages already queued are still delivered."""
    agency = await asked.agency()
    await asked.change(lambda desk: end_subscription(desk, agency, subscription_id))
    return Response(status_code=204)


async def _team(asked: Asked, agency: str, team: str) -> teams.Team:
    return own(await asked.read(lambda connection: one_team(connection, agency, team)))


async def _contacts(asked: Asked, agency: str, team: str) -> teams.Contacts:
    return replace(await asked.read(lambda connection: contacts_of(connection, agency, team)), team=team)
