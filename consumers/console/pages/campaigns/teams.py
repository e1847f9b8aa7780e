"""`/campaigns/teams`: an agency's teams with their contacts, subscriptions, webhooks and calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from msgspec import Struct

from consumers.campaigns.rules.in_force import rules_in_force
from consumers.console.pages.campaigns import wording
from consumers.console.pages.campaigns.acting import typed
from consumers.console.pages.campaigns.changing import LIST_MAX, act, change, look
from consumers.console.pages.campaigns.own_team import OWN_TEAM, may_change, require_own, require_subscription
from consumers.console.pages.campaigns.reporting import Faults, Given
from consumers.console.visit import Visit, Visiting
from consumers.delivery.teams.inputs import TEAM_PATTERN
from consumers.delivery.teams.teams import masked
from consumers.documents.campaigns.campaigns import Channel
from consumers.documents.document import document_of
from consumers.documents.teams.teams import Contacts, Subscription, Team
from consumers.documents.teams.webhooks import WebhookAndSecrets

TEAM_FIELDS: Final = {
    "/team": "team",
    "/name/ar": "name_ar",
    "/name/en": "name_en",
    "/language": "language",
    "/contacts": "contacts",
}
SUBSCRIPTION_FIELDS: Final = {
    "/route": "route",
    "/endpoint_id": "route",
    "/rules": "rules",
    "/channels": "channels",
    "/services": "services",
    "/from_date": "from_date",
}
TeamCode = Annotated[str, Path(pattern=TEAM_PATTERN)]
Row = Mapping[str, Any]
Document = TypeVar("Document", bound=Struct)

routes = APIRouter()


def new_team(given: Given) -> dict[str, Any]:
    """The document of a team, as its form gives it."""
    return {
        "team": given.get("team", "").strip(),
        "name": {language: given.get(f"name_{language}", "").strip() for language in ("ar", "en")},
        "language": given.get("language", "ar"),
        "contacts": words_of(given.get("contacts", "")),
    }


def new_subscription(team: str, given: Given, chosen: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The document of a subscription. What is not chosen means all. `route` is `email` or a webhook's id."""
    route = given.get("route", "")
    filters = {name: list(chosen[name]) for name in ("rules", "channels") if chosen.get(name)}
    services = words_of(given.get("services", ""))
    found: dict[str, Any] = {"team": team, "route": "email" if route == "email" else "webhook", **filters}
    if route != "email":
        found["endpoint_id"] = route
    if services:
        found["services"] = services
    if given.get("from_date", "").strip():
        found["from_date"] = given["from_date"].strip()
    return found


def words_of(text: str) -> list[str]:
    """What is written on lines of its own, or between spaces or commas."""
    return text.replace(",", " ").replace("،", " ").split()


@routes.get("/campaigns/teams")
async def teams_page(visit: Visiting) -> Response:
    rows = await look(visit, "/v1/teams", limit=LIST_MAX)
    teams = [_own(visit, Team, row) for row in rows if may_change(visit.account, row["team"])]
    return visit.page("campaigns/teams.html", teams=teams)


@routes.get("/campaigns/new-team")
async def new_team_form(visit: Visiting) -> Response:
    given = {"team": visit.account.team or "", "language": visit.words.language}
    return visit.page("campaigns/team-new.html", given=given, faults={})


@routes.post("/campaigns/new-team")
async def add_team(visit: Visiting, request: Request) -> Response:
    given = await typed(request)
    body = new_team(given)
    require_own(visit.account, body["team"])
    made, faults, status = await change(visit, "POST", "/v1/teams", body, TEAM_FIELDS)
    if faults:
        return visit.page("campaigns/team-new.html", status, given=given, faults=faults)
    return visit.redirect(f"/campaigns/teams/{made['team']}")


@routes.get("/campaigns/teams/{team}", dependencies=[OWN_TEAM])
async def team_page(visit: Visiting, team: TeamCode) -> Response:
    return await _team_page(visit, team)


@routes.get("/campaigns/teams/{team}/contacts", dependencies=[OWN_TEAM])
async def contacts_form(visit: Visiting, team: TeamCode) -> Response:
    return await _contacts_page(visit, team, {}, {})


@routes.post("/campaigns/teams/{team}/contacts", dependencies=[OWN_TEAM])
async def put_contacts(visit: Visiting, request: Request, team: TeamCode) -> Response:
    given = await typed(request)
    body = {"contacts": words_of(given.get("contacts", ""))}
    _, faults, status = await change(visit, "PUT", f"/v1/teams/{team}/contacts", body, TEAM_FIELDS)
    if faults:
        return await _contacts_page(visit, team, given, faults, status)
    return visit.redirect(f"/campaigns/teams/{team}")


@routes.get("/campaigns/teams/{team}/subscribe", dependencies=[OWN_TEAM])
async def subscribe_form(visit: Visiting, team: TeamCode) -> Response:
    return await _subscribe_page(visit, team, {"route": "email"}, {}, {})


@routes.post("/campaigns/teams/{team}/subscribe", dependencies=[OWN_TEAM])
async def subscribe(visit: Visiting, request: Request, team: TeamCode) -> Response:
    given, form = await typed(request), await request.form()
    chosen = {name: [str(one) for one in form.getlist(name)] for name in ("rules", "channels")}
    body = new_subscription(team, given, chosen)
    _, faults, status = await change(visit, "POST", "/v1/subscriptions", body, SUBSCRIPTION_FIELDS)
    if faults:
        return await _subscribe_page(visit, team, given, chosen, faults, status)
    return visit.redirect(f"/campaigns/teams/{team}")


@routes.post("/campaigns/teams/{team}/subscriptions/{subscription_id}/end", dependencies=[OWN_TEAM])
async def end_subscription(visit: Visiting, team: TeamCode, subscription_id: int) -> Response:
    await require_subscription(visit, team, subscription_id)
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
    return visit.page("campaigns/team-close.html", team=await look(visit, f"/v1/teams/{team}"))


@routes.post("/campaigns/teams/{team}/close", dependencies=[OWN_TEAM])
async def close(visit: Visiting, team: TeamCode) -> Response:
    await act(visit, "DELETE", f"/v1/teams/{team}")
    return visit.redirect("/campaigns/teams")


async def _team_page(visit: Visit, team: str, *, calendar_address: str | None = None) -> Response:
    found = _own(visit, Team, await look(visit, f"/v1/teams/{team}"))
    is_open = found.closed_at is None
    contacts, webhooks, subscriptions = await asyncio.gather(
        _contacts(visit, team, is_open=is_open),
        look(visit, "/v1/webhooks", ended="true", limit=LIST_MAX),
        look(visit, "/v1/subscriptions", limit=LIST_MAX),
    )
    rules = rules_in_force()
    return visit.page(
        "campaigns/team.html",
        team=found,
        is_open=is_open,
        contacts=contacts,
        webhooks=[_own(visit, WebhookAndSecrets, row) for row in webhooks if row["team"] == team],
        subscriptions=[_own(visit, Subscription, row) for row in subscriptions if row["team"] == team],
        rule_words=lambda name: wording.rule_words(rules, name),
        calendar_address=calendar_address,
        wording=wording,
    )


async def _contacts(visit: Visit, team: str, *, is_open: bool = True) -> Contacts:
    """With masked addresses; a closed team has none."""
    if not is_open:
        return Contacts(contacts=(), addresses=(), not_sent=())
    found = await look(visit, f"/v1/teams/{team}/contacts")
    addresses = [{**row, "address": masked(row["address"])} for row in found["addresses"]]
    return document_of(Contacts, found, addresses=addresses)


def _own(visit: Visit, document: type[Document], row: Row) -> Document:
    """A document of the gateway, which leaves out whose it is."""
    return document_of(document, row, agency=visit.caller.holder)


async def _contacts_page(visit: Visit, team: str, given: Given, faults: Faults, status: int = 200) -> Response:
    found, contacts = await asyncio.gather(look(visit, f"/v1/teams/{team}"), _contacts(visit, team))
    return visit.page("campaigns/team-contacts.html", status, team=found, contacts=contacts, given=given, faults=faults)


async def _subscribe_page(
    visit: Visit,
    team: str,
    given: Given,
    chosen: Mapping[str, Sequence[str]],
    faults: Faults,
    status: int = 200,
) -> Response:
    found, webhooks = await asyncio.gather(
        look(visit, f"/v1/teams/{team}"), look(visit, "/v1/webhooks", limit=LIST_MAX)
    )
    rules = rules_in_force()
    return visit.page(
        "campaigns/team-subscribe.html",
        status,
        team=found,
        webhooks=[row for row in webhooks if row["team"] == team and row["disabled_at"] is None],
        rules={rule.name: wording.rule_words(rules, rule.name) for rule in rules.rules},
        channels=Channel,
        given=given,
        chosen=chosen,
        faults=faults,
        wording=wording,
    )
