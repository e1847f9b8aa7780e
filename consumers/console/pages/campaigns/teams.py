"""`/campaigns/teams`: an agency's teams with their contacts, subscriptions, webhooks and calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path
from fastapi.responses import Response
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.campaigns.inbox import rule_name
from consumers.console.pages.campaigns.reporting import Faults, Given
from consumers.console.pages.campaigns.team_requests import (
    LIST_MAX,
    OWN_TEAM,
    act,
    change,
    look,
    look_all,
    may_change,
    require_own,
    subscriptions_of,
    webhooks_of,
)
from consumers.delivery.routing.matching import KINDS
from consumers.delivery.teams.inputs import EVENT_NAMES, TEAM_PATTERN
from consumers.delivery.teams.teams import masked
from consumers.documents.campaigns.campaigns import Channel, channel_list
from consumers.documents.document import Name
from consumers.documents.teams.notices import NOTICE_NAMES
from consumers.documents.teams.teams import Contacts, Team
from consumers.documents.teams.webhooks import MessageKind
from consumers.programme.campaigns.rules.in_force import rules_in_force
from infra.http.problems import Problem

TEAM_FIELDS: Final = ("team", "name_ar", "name_en", "language", "contacts")
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
    """The form's `route` is `email` or a webhook's id."""
    route = given.get("route", "")
    return TypedSubscription(
        team,
        "email" if route == "email" else "webhook",
        types=list(chosen.get("types", ())) or UNSET,
        rules=list(chosen.get("rules", ())) or UNSET,
        channels=list(chosen.get("channels", ())) or UNSET,
        endpoint_id=UNSET if route == "email" else route,
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
    return await _subscribe_page(visit, team, {"route": "email"}, {}, {})


@routes.post("/campaigns/teams/{team}/subscribe", dependencies=[OWN_TEAM])
async def subscribe(visit: Visiting, team: TeamCode) -> Response:
    given, form = await visit.typed(), await visit.request.form()
    chosen = {name: [str(one) for one in form.getlist(name)] for name in ("types", "rules", "channels")}
    if chosen["types"]:
        _require_engineer(visit)
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


def _require_engineer(visit: Visit) -> None:
    """A campaign team reads no other entries of its agency, so none in notices. Raises `Problem` (403)."""
    if visit.account.role == "team":
        raise Problem("forbidden")


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
        webhooks=[row for row in webhooks if row.team == team and row.disabled_at is None],
        rules={rule.name: rule_name(rules, rule.name) for rule in rules.rules},
        channels=Channel,
        notices=[] if visit.account.role == "team" else [MessageKind(name) for name in NOTICE_NAMES],
        given=given,
        chosen=chosen,
        faults=faults,
    )
