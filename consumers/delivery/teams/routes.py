"""`/v1/teams`, `/v1/webhooks`, `/v1/subscriptions`: an agency manages its own teams. What is another's is not found."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from msgspec.structs import replace

from consumers.api.parameters import INTEGER_MAX, After, Limit, index_after, text_after
from consumers.delivery.calendar.routes import CalendarAddress, new_address, revoke_address
from consumers.delivery.teams import endpoints, expectations, inputs, letter_pages, openapi, subscriptions
from consumers.delivery.teams.endpoints import Wanted
from consumers.delivery.teams.requests import Asked, Changes, answer, own
from consumers.delivery.teams.teams import add_team, close_team, contacts_of, one_team, set_contacts, teams_of
from consumers.documents.teams import teams
from consumers.documents.teams.notices import Expectation
from consumers.documents.teams.webhooks import Attempt, Example, Redelivered, WebhookAndSecrets
from infra.http.routes import RouteParts
from infra.postgres.connection import Connection

TAG: Final = "teams"

Team = Annotated[str, Path(pattern=inputs.TEAM_PATTERN)]
Endpoint = Annotated[str, Path(pattern=inputs.ENDPOINT_PATTERN)]
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


@routes.get("/v1/teams", summary="Your teams", **openapi.reads("Teams by code.", list[teams.Team], paged=True))
async def list_teams(asked: Asked, ended: Ended = False, limit: Limit = 100, after: After = None) -> Response:
    """The teams of your agency."""
    await asked.sender()
    rows = await asked.read(teams_of, closed=ended, after=text_after(after), limit=limit + 1)
    return asked.page(rows, limit, "team")


@routes.post("/v1/teams", summary="Add a team", **openapi.changes(201, "The team.", teams.Team, inputs.NewTeam))
async def post_team(asked: Asked) -> Response:
    """Add a team, or open a former one again. Contacts are addresses of desks, never of persons.

    A team gets nothing until it subscribes.
    """
    new = await asked.sent(inputs.NewTeam)
    await asked.change(add_team, new)
    return answer(own(await asked.read(one_team, new.team)), 201)


@routes.get("/v1/teams/{team}", summary="A team", **openapi.reads("The team.", teams.Team))
async def get_team(asked: Asked, team: Team) -> Response:
    """A team of your agency, also a former one."""
    return answer(own(await asked.read(one_team, team)))


@routes.delete("/v1/teams/{team}", summary="Close a team", **openapi.ends())
async def delete_team(asked: Asked, team: Team) -> None:
    """Its subscriptions and its calendar's address end, its webhooks are disabled, its contacts are deleted."""
    await asked.change(close_team, team)


@routes.get(
    "/v1/teams/{team}/contacts",
    summary="A team's contacts",
    **openapi.reads("The addresses in the order in which they are written to.", teams.Contacts),
)
async def get_contacts(asked: Asked, team: Team) -> Response:
    """The addresses of a team: the first is written to first, the next on escalation.

    Letters are sent to an address once its reader has confirmed it, or if its domain is registered for your agency.
    """
    return answer(replace(await asked.read(contacts_of, team), team=team))


@routes.put(
    "/v1/teams/{team}/contacts",
    summary="Replace a team's contacts",
    **openapi.changes(
        200, "The addresses in the order in which they are written to.", teams.Contacts, inputs.NewContacts
    ),
)
async def put_contacts(asked: Asked, team: Team) -> Response:
    """Replace all addresses of a team. Those that wait for a confirmation are asked again, at most once a day."""
    new = await asked.sent(inputs.NewContacts)
    await asked.change(set_contacts, team, new.contacts)
    return await get_contacts(asked, team)


@routes.post(
    "/v1/teams/{team}/calendar-address",
    summary="Make a calendar's address",
    **openapi.changes(201, "The address, which is not shown again.", CalendarAddress),
)
async def post_calendar_address(asked: Asked, team: Team) -> Response:
    """The address under which a calendar program reads the team's due dates without a token.

    It is not shown again, and an earlier one ends.
    """
    address = await asked.change(
        lambda desk, agency: new_address(desk.connection, desk.settings, agency, team, by=desk.by)
    )
    return answer(CalendarAddress(team=team, address=address), 201)


@routes.delete("/v1/teams/{team}/calendar-address", summary="Revoke a calendar's address", **openapi.ends())
async def delete_calendar_address(asked: Asked, team: Team) -> None:
    """Nothing can be read under it any more."""
    await asked.change(lambda desk, agency: revoke_address(desk.connection, agency, team, by=desk.by))


@routes.get(
    "/v1/webhooks", summary="Your webhooks", **openapi.reads("Webhooks by id.", list[WebhookAndSecrets], paged=True)
)
async def list_webhooks(asked: Asked, ended: Ended = False, limit: Limit = 100, after: After = None) -> Response:
    """The webhooks of your teams, without their secrets."""
    await asked.sender()
    rows = await asked.read(endpoints.endpoints_of, ended=ended, after=text_after(after), limit=limit + 1)
    return asked.page(rows, limit, "endpoint_id")


@routes.post(
    "/v1/webhooks",
    summary="Add a webhook",
    **openapi.changes(201, "The webhook's new secrets, shown only here.", endpoints.ShownOnce, inputs.NewWebhook),
)
async def post_webhook(asked: Asked) -> Response:
    """Register a URL of a team. The answer has its secrets, which are not shown again.

    Deliveries are signed by Standard Webhooks, with the secret (`v1`) and with the key of the public key (`v1a`).
    """
    new = await asked.sent(inputs.NewWebhook)
    return answer(await asked.change(endpoints.add_endpoint, new), 201)


@routes.post(
    "/v1/webhooks/{endpoint_id}/rotate",
    summary="Give a webhook new secrets",
    **openapi.changes(200, "The webhook's new secrets, shown only here.", endpoints.ShownOnce, inputs.Rotation),
)
async def post_rotation(asked: Asked, endpoint_id: Endpoint) -> Response:
    """The new secrets sign at once. The old ones sign for 24 hours more, or no more with `end_old`."""
    rotation = await asked.sent(inputs.Rotation)
    return answer(await asked.change(endpoints.rotate, endpoint_id, end_old=rotation.end_old))


@routes.post(
    "/v1/webhooks/{endpoint_id}/test",
    summary="Send an example to a webhook",
    **openapi.changes(202, "The example waits to be sent.", Example),
)
async def post_example(asked: Asked, endpoint_id: Endpoint) -> Response:
    """An example of `campaign.triggered`, signed like every delivery, with the header `yesser-example: true`."""
    return answer(await asked.change(endpoints.send_example, endpoint_id), 202)


@routes.get(
    "/v1/webhooks/{endpoint_id}/attempts",
    summary="Attempts to deliver to a webhook",
    **openapi.reads("Attempts, the newest first.", list[Attempt]),
)
async def get_attempts(asked: Asked, endpoint_id: Endpoint, message: Message = None, limit: Limit = 50) -> Response:
    """The newest attempts: when, for which event, what your system answered, and how long it took."""
    return answer(await asked.read(endpoints.attempts_of, endpoint_id, message, limit))


@routes.post(
    "/v1/webhooks/{endpoint_id}/redeliver",
    summary="Send messages to a webhook again",
    **openapi.changes(202, "The messages that are sent again.", Redelivered, inputs.Redelivery),
)
async def post_redelivery(asked: Asked, endpoint_id: Endpoint) -> Response:
    """One message, or those that were made in a span of time, each event once; those that wait are left out.

    They have the ids that your system knows, and the header `yesser-replay: true`.
    """
    chosen = await asked.sent(inputs.Redelivery)
    return answer(await asked.change(endpoints.redeliver, endpoint_id, Wanted(chosen.message_id, *chosen.span())), 202)


@routes.post("/v1/webhooks/{endpoint_id}/disable", summary="Disable a webhook", **openapi.ends())
async def post_disabled(asked: Asked, endpoint_id: Endpoint) -> None:
    """Nothing more is sent to it until it is enabled again."""
    await asked.change(endpoints.disable, endpoint_id)


@routes.post("/v1/webhooks/{endpoint_id}/enable", summary="Enable a webhook again", **openapi.ends())
async def post_enabled(asked: Asked, endpoint_id: Endpoint) -> None:
    """What is new is sent to it again, also after it was disabled because it answered 410 or kept failing."""
    await asked.change(endpoints.enable, endpoint_id)


@routes.get(
    "/v1/subscriptions",
    summary="Your subscriptions",
    **openapi.reads("Subscriptions by id.", list[teams.Subscription], paged=True),
)
async def list_subscriptions(asked: Asked, ended: Ended = False, limit: Limit = 100, after: After = None) -> Response:
    """What each of your teams gets, and by which route."""
    await asked.sender()
    rows = await asked.read(subscriptions.subscriptions_of, ended=ended, after=index_after(after), limit=limit + 1)
    return asked.page(rows, limit, "subscription_id")


@routes.post(
    "/v1/subscriptions",
    summary="Subscribe a team",
    **openapi.changes(
        201,
        "The subscription, and the entries that are sent again: from the first of them up to the second, without it.",
        teams.Subscribed,
        inputs.NewSubscription,
    ),
)
async def post_subscription(asked: Asked) -> Response:
    """Subscribe a team to campaigns, or to notices (`types`), from now on. With `from_index` or `from_date` it also
    gets, marked as replays, what is in the log from there on.

    Without `rules`, `services` or `channels` it gets all; without `types`, everything of campaigns but airings.
    """
    new = await asked.sent(inputs.NewSubscription)

    async def beginning(connection: Connection, _: str) -> int | None:
        subscriptions.require_known_rules(new)
        return await subscriptions.backfill_from(connection, new)

    backfill = await asked.read(beginning)
    return answer(await asked.change(subscriptions.add_subscription, new, backfill), 201)


@routes.delete("/v1/subscriptions/{subscription_id}", summary="End a subscription", **openapi.ends())
async def delete_subscription(asked: Asked, subscription_id: Subscription) -> None:
    """Messages already queued are still delivered."""
    await asked.change(subscriptions.end_subscription, subscription_id)


@routes.get(
    "/v1/expectations",
    summary="What your agency expects",
    **openapi.reads("Expected events by id, and whether they have come.", list[Expectation], paged=True),
)
async def list_expectations(asked: Asked, limit: Limit = 100, after: After = None) -> Response:
    """Which events your agency expects of its own systems. `silent`: none came in the last period, or since."""
    await asked.sender()
    settings = asked.changes.parts.settings
    rows = await asked.read(expectations.expectations_of, settings, after=index_after(after), limit=limit + 1)
    return asked.page(rows, limit, "expectation_id")


@routes.post(
    "/v1/expectations",
    summary="Add an expectation",
    **openapi.changes(201, "The expectation.", Expectation, inputs.NewExpectation),
)
async def post_expectation(asked: Asked) -> Response:
    """Declare an event that your systems send each month by the end of a day in Riyadh, or at least every so many days.

    Teams that subscribe to `notice.silence` get a notice when it does not come.
    """
    new = await asked.sent(inputs.NewExpectation)
    await asked.read(expectations.require_expectable, new)
    number = await asked.change(expectations.add_expectation, new)
    made = await asked.read(expectations.expectations_of, asked.changes.parts.settings, after=number - 1, limit=1)
    return answer(own(made[0]), 201)


@routes.delete("/v1/expectations/{expectation_id}", summary="End an expectation", **openapi.ends())
async def delete_expectation(asked: Asked, expectation_id: Subscription) -> None:
    """Notices that wait are still delivered."""
    await asked.change(expectations.end_expectation, expectation_id)
