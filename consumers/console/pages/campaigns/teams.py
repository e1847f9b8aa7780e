"""`/campaigns/teams`: an agency's teams with their contacts, subscriptions, webhooks and calendar; and what these pages
ask the gateway.

A team's account changes its own team; one of the agency, or of the office, every team of its agency. Each check is made
before the gateway is asked to change something: the gateway knows the agency, not the team.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Response
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from consumers.console.accounts.accounts import Account
from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.campaigns.inbox import rule_name
from consumers.console.pages.campaigns.report_pages import AWAY, Faults, Given, faults_of
from consumers.delivery.routing.matching import KINDS
from consumers.delivery.teams.inputs import EVENT_NAMES, TEAM_PATTERN
from consumers.delivery.teams.teams import masked
from consumers.documents.campaigns.campaigns import Channel, channel_list
from consumers.documents.document import Name, document_of, documents_of
from consumers.documents.teams.notices import NOTICE_NAMES
from consumers.documents.teams.teams import Contacts, Route, Subscription, Team
from consumers.documents.teams.webhooks import MessageKind, WebhookAndSecrets
from consumers.programme.campaigns.rules.in_force import rules_in_force
from events.values.bilingual import Bilingual
from infra.http.problems import Problem
from infra.json_documents import to_json
from producers.sdk.problems import NotServed, OutcomeUnknown

Document = TypeVar("Document", bound=Struct)
LIST_MAX: Final = "1000"
"""The longest page of the gateway."""
MAYBE_CHANGED: Final = Bilingual(
    "لم تجب البوابة في الوقت المحدد، وقد يكون التغيير تم. انظر في صفحة الفريق قبل أن ترسله مرة أخرى.",
    "The gateway did not answer in time, and may have made the change. Look at the team's page before you repeat it.",
)


async def look(visit: Visit, document: type[Document], path: str) -> Document:
    """A document of the gateway. Raises `GatewayProblem` and `NotServed`, which are shown as pages."""
    return document_of(document, await act(visit, "GET", path), agency=visit.caller.holder)


async def look_all(visit: Visit, document: type[Document], path: str, **query: str) -> list[Document]:
    """The documents of a list. Raises like `look`."""
    rows = await act(visit, "GET", f"{path}?{urlencode(query)}")
    # The gateway leaves out whose they are.
    return documents_of(document, [{**row, "agency": visit.caller.holder} for row in rows])


async def webhooks_of(visit: Visit, *, ended: bool = True) -> list[WebhookAndSecrets]:
    """The agency's webhooks. Raises like `look`."""
    query = {"ended": "true"} if ended else {}
    return await look_all(visit, WebhookAndSecrets, "/v1/webhooks", **query, limit=LIST_MAX)


async def webhook_of(visit: Visit, endpoint_id: str) -> WebhookAndSecrets:
    """A webhook of the agency. Raises `Problem` (404)."""
    for webhook in await webhooks_of(visit):
        if webhook.endpoint_id == endpoint_id:
            return webhook
    raise Problem("not-found")


async def subscriptions_of(visit: Visit, team: str) -> list[Subscription]:
    """Those of a team. Raises like `look`."""
    rows = await look_all(visit, Subscription, "/v1/subscriptions", limit=LIST_MAX)
    return [row for row in rows if row.team == team]


async def act(visit: Visit, method: str, path: str) -> Any:
    """The document that answers a button. Raises like `look`, and `OutcomeUnknown`."""
    reply = await visit.send(method, path)
    if not reply.is_success:
        raise reply.refusal()
    return reply.document


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a form: the document that answers it; or the faults of its fields, and the status to answer."""

    status: int
    faults: Faults = field(default_factory=dict)
    document: Any = None


async def change(visit: Visit, method: str, path: str, body: object, fields: Collection[str] = ()) -> Changed:
    """Send a form's document. `fields` are the form's. Raises `GatewayProblem` for what is not there."""
    try:
        reply = await visit.send(method, path, to_json(body))
    except (NotServed, OutcomeUnknown) as error:
        return Changed(503, {"": AWAY if isinstance(error, NotServed) else MAYBE_CHANGED})
    if reply.status == 404:
        raise reply.refusal()
    if not reply.is_success:
        return Changed(reply.status, faults_of(reply.problem, fields))
    return Changed(reply.status, document=reply.document)


def may_change(account: Account, team: str) -> bool:
    """Whether the account may change this team of its agency."""
    return account.role != "team" or account.team == team


def require_own(account: Account, team: str) -> None:
    """Raises `Problem` (403) for another team's account."""
    if not may_change(account, team):
        raise Problem("forbidden")


async def _own_team(visit: Visiting, team: str) -> None:
    require_own(visit.account, team)


async def _own_webhook(visit: Visiting, endpoint_id: str) -> None:
    if visit.account.role == "team":
        require_own(visit.account, (await webhook_of(visit, endpoint_id)).team)


OWN_TEAM: Final = Depends(_own_team)
"""Of routes with the path parameter `team`."""
OWN_WEBHOOK: Final = Depends(_own_webhook)
"""Of routes with the path parameter `endpoint_id`."""


TEAM_FIELDS: Final = ("team", "name_ar", "name_en", "language", "contacts")
WITHOUT_ENDPOINT: Final = [route for route in Route if route is not Route.WEBHOOK]
"""The routes that a subscription names alone."""
SUBSCRIPTION_FIELDS: Final = ("route", "types", "rules", "channels", "services", "from_date")
TeamCode = Annotated[str, Path(pattern=TEAM_PATTERN)]

routes = APIRouter()


class TypedTeam(Struct, frozen=True):
    """A team as its form gives it: the gateway says what is wrong with it."""

    team: str
    name: Name
    language: str
    contacts: list[str]


class TypedSubscription(Struct, frozen=True):
    """The same of a subscription. What is not chosen means all."""

    team: str
    route: str
    types: list[str] | UnsetType
    rules: list[str] | UnsetType
    channels: list[str] | UnsetType
    endpoint_id: str | UnsetType
    services: list[str] | UnsetType
    from_date: str | UnsetType


def new_team(given: Given) -> TypedTeam:
    name = Name(given.get("name_ar", "").strip(), given.get("name_en", "").strip())
    contacts = words_of(given.get("contacts", ""))
    return TypedTeam(given.get("team", "").strip(), name, given.get("language", "ar"), contacts)


def new_subscription(team: str, given: Given, chosen: Mapping[str, Sequence[str]]) -> TypedSubscription:
    """The form's `route` is one without an endpoint, or a webhook's id."""
    route = given.get("route", "")
    is_webhook = route not in {found.value for found in WITHOUT_ENDPOINT}
    return TypedSubscription(
        team,
        Route.WEBHOOK.value if is_webhook else route,
        types=list(chosen.get("types", ())) or UNSET,
        rules=list(chosen.get("rules", ())) or UNSET,
        channels=list(chosen.get("channels", ())) or UNSET,
        endpoint_id=route if is_webhook else UNSET,
        services=words_of(given.get("services", "")) or UNSET,
        from_date=given.get("from_date", "").strip() or UNSET,
    )


def words_of(text: str) -> list[str]:
    """What is written on lines of its own, or between spaces or commas."""
    return text.replace(",", " ").replace("،", " ").split()


@routes.get("/campaigns/teams")
async def teams_page(visit: Visiting) -> Response:
    rows = await look_all(visit, Team, "/v1/teams", limit=LIST_MAX)
    return visit.page("campaigns/teams.html", teams=[row for row in rows if may_change(visit.account, row.team)])


@routes.get("/campaigns/new-team")
async def new_team_form(visit: Visiting) -> Response:
    given = {"team": visit.account.team or "", "language": visit.words.language}
    return visit.page("campaigns/team-new.html", given=given, faults={})


@routes.post("/campaigns/new-team")
async def add_team(visit: Visiting) -> Response:
    given = await visit.typed()
    body = new_team(given)
    require_own(visit.account, body.team)
    made = await change(visit, "POST", "/v1/teams", body, TEAM_FIELDS)
    if made.faults:
        return visit.page("campaigns/team-new.html", made.status, given=given, faults=made.faults)
    return visit.redirect(f"/campaigns/teams/{body.team}")


@routes.get("/campaigns/teams/{team}", dependencies=[OWN_TEAM])
async def team_page(visit: Visiting, team: TeamCode) -> Response:
    return await _team_page(visit, team)


@routes.get("/campaigns/teams/{team}/contacts", dependencies=[OWN_TEAM])
async def contacts_form(visit: Visiting, team: TeamCode) -> Response:
    return await _contacts_page(visit, team, {}, {})


@routes.post("/campaigns/teams/{team}/contacts", dependencies=[OWN_TEAM])
async def put_contacts(visit: Visiting, team: TeamCode) -> Response:
    given = await visit.typed()
    body = {"contacts": words_of(given.get("contacts", ""))}
    made = await change(visit, "PUT", f"/v1/teams/{team}/contacts", body, TEAM_FIELDS)
    if made.faults:
        return await _contacts_page(visit, team, given, made.faults, made.status)
    return visit.redirect(f"/campaigns/teams/{team}")


@routes.get("/campaigns/teams/{team}/subscribe", dependencies=[OWN_TEAM])
async def subscribe_form(visit: Visiting, team: TeamCode) -> Response:
    return await _subscribe_page(visit, team, {"route": Route.EMAIL.value}, {}, {})


@routes.post("/campaigns/teams/{team}/subscribe", dependencies=[OWN_TEAM])
async def subscribe(visit: Visiting, team: TeamCode) -> Response:
    given, form = await visit.typed(), await visit.request.form()
    chosen = {name: [str(one) for one in form.getlist(name)] for name in ("types", "rules", "channels")}
    if chosen["types"] and visit.account.role == "team":  # it reads no other entries of its agency, so no notices
        raise Problem("forbidden")
    body = new_subscription(team, given, chosen)
    made = await change(visit, "POST", "/v1/subscriptions", body, SUBSCRIPTION_FIELDS)
    if made.faults:
        return await _subscribe_page(visit, team, given, chosen, made.faults, made.status)
    return visit.redirect(f"/campaigns/teams/{team}")


@routes.post("/campaigns/teams/{team}/subscriptions/{subscription_id}/end", dependencies=[OWN_TEAM])
async def end_subscription(visit: Visiting, team: TeamCode, subscription_id: int) -> Response:
    if not any(row.subscription_id == subscription_id for row in await subscriptions_of(visit, team)):
        raise Problem("not-found")
    await act(visit, "DELETE", f"/v1/subscriptions/{subscription_id}")
    return visit.redirect(f"/campaigns/teams/{team}")


@routes.post("/campaigns/teams/{team}/calendar", dependencies=[OWN_TEAM])
async def make_calendar_address(visit: Visiting, team: TeamCode) -> Response:
    """Show the address: it is not shown again, so there is no page to be led to."""
    made = await act(visit, "POST", f"/v1/teams/{team}/calendar-address")
    return await _team_page(visit, team, calendar_address=made["address"])


@routes.post("/campaigns/teams/{team}/calendar/revoke", dependencies=[OWN_TEAM])
async def revoke_calendar_address(visit: Visiting, team: TeamCode) -> Response:
    await act(visit, "DELETE", f"/v1/teams/{team}/calendar-address")
    return visit.redirect(f"/campaigns/teams/{team}")


@routes.get("/campaigns/teams/{team}/close", dependencies=[OWN_TEAM])
async def close_form(visit: Visiting, team: TeamCode) -> Response:
    return visit.page("campaigns/team-close.html", team=await _team(visit, team))


@routes.post("/campaigns/teams/{team}/close", dependencies=[OWN_TEAM])
async def close(visit: Visiting, team: TeamCode) -> Response:
    await act(visit, "DELETE", f"/v1/teams/{team}")
    return visit.redirect("/campaigns/teams")


async def _team_page(visit: Visit, team: str, *, calendar_address: str | None = None) -> Response:
    found = await _team(visit, team)
    is_open = found.closed_at is None
    contacts, webhooks, subscriptions = await asyncio.gather(
        _contacts(visit, team, is_open=is_open), webhooks_of(visit), subscriptions_of(visit, team)
    )
    rules = rules_in_force()
    return visit.page(
        "campaigns/team.html",
        team=found,
        is_open=is_open,
        contacts=contacts,
        webhooks=[row for row in webhooks if row.team == team],
        subscriptions=subscriptions,
        rule_name=partial(rule_name, rules),
        calendar_address=calendar_address,
        channel_list=channel_list,
        kinds={name: MessageKind(KINDS.get(name, name)) for name in EVENT_NAMES},
        notices=NOTICE_NAMES,
    )


async def _team(visit: Visit, team: str) -> Team:
    return await look(visit, Team, f"/v1/teams/{team}")


async def _contacts(visit: Visit, team: str, *, is_open: bool = True) -> Contacts:
    """With masked addresses; a closed team has none."""
    if not is_open:
        return Contacts(contacts=(), addresses=(), not_sent=())
    found = await look(visit, Contacts, f"/v1/teams/{team}/contacts")
    return replace(found, addresses=tuple(replace(one, address=masked(one.address)) for one in found.addresses))


async def _contacts_page(visit: Visit, team: str, given: Given, faults: Faults, status: int = 200) -> Response:
    found, contacts = await asyncio.gather(_team(visit, team), _contacts(visit, team))
    return visit.page("campaigns/team-contacts.html", status, team=found, contacts=contacts, given=given, faults=faults)


async def _subscribe_page(
    visit: Visit,
    team: str,
    given: Given,
    chosen: Mapping[str, Sequence[str]],
    faults: Faults,
    status: int = 200,
) -> Response:
    found, webhooks = await asyncio.gather(_team(visit, team), webhooks_of(visit, ended=False))
    rules = rules_in_force()
    return visit.page(
        "campaigns/team-subscribe.html",
        status,
        team=found,
        routes=WITHOUT_ENDPOINT,
        webhooks=[row for row in webhooks if row.team == team and row.disabled_at is None],
        rules={rule.name: rule_name(rules, rule.name) for rule in rules.rules},
        channels=Channel,
        notices=[] if visit.account.role == "team" else [MessageKind(name) for name in NOTICE_NAMES],
        given=given,
        chosen=chosen,
        faults=faults,
    )
