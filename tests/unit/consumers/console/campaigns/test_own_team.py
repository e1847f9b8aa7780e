"""A team's account changes its own team and reports about its own campaigns; the agency's account, all of its teams."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from consumers.console.accounts.accounts import Account
from consumers.console.data.gateway import Reply
from consumers.console.data.read_api import Answer, NotAnswered
from consumers.console.pages.campaigns import teams, webhooks
from infra.http.callers import Caller
from tests.every import every
from tests.unit.consumers.console.campaigns.test_campaign import campaign
from tests.unit.consumers.console.without_services import CSRF, browser

TEAM = Account("desk", "team", "health", "press")
AGENCY = Account("desk", "agency", "health")
OWN, OTHER = "ep_aaaaaaaaaaaaaaa2", "ep_bbbbbbbbbbbbbbb2"
ROUTES = [
    (method, route.path)
    for route in (*teams.routes.routes, *webhooks.routes.routes)
    if isinstance(route, APIRoute) and "{" in route.path
    for method in sorted(route.methods or ())
]


class Gateway:
    """It has two teams with a webhook and a subscription each, and remembers what it was asked to change."""

    def __init__(self) -> None:
        self.changes: list[str] = []

    async def ask(self, sending: Any, method: str, path: str, **given: Any) -> Reply:
        if method != "GET":
            self.changes.append(path)
        rows: Any = {}
        if path.startswith("/v1/webhooks?"):
            rows = [{"endpoint_id": OWN, "team": "press"}, {"endpoint_id": OTHER, "team": "radio"}]
        elif path.startswith("/v1/subscriptions?"):
            rows = [{"subscription_id": 1, "team": "press"}, {"subscription_id": 2, "team": "radio"}]
        return Reply(200, rows, {})


def of_another_team(path: str) -> str:
    return re.sub(r"\{team\}", "radio", path.replace("{endpoint_id}", OTHER)).replace("{subscription_id}", "2")


@every(("method", "path"), ROUTES)
async def test_a_team_neither_opens_nor_changes_another_team(method: str, path: str) -> None:
    gateway = Gateway()
    async with browser(TEAM, gateway=gateway) as client:
        answer = await client.request(method, of_another_team(path), data={"csrf": CSRF} if method == "POST" else None)
    assert (answer.status_code, gateway.changes) == (403, [])


async def test_a_team_adds_no_team_but_its_own() -> None:
    gateway = Gateway()
    async with browser(TEAM, gateway=gateway) as client:
        assert (await client.post("/campaigns/new-team", data={"csrf": CSRF, "team": "radio"})).status_code == 403
        assert gateway.changes == []
        await client.post("/campaigns/new-team", data={"csrf": CSRF, "team": "press"})
        assert gateway.changes == ["/v1/teams"]


@pytest.mark.parametrize("account", [TEAM, AGENCY])
async def test_a_subscription_is_ended_under_its_own_team_only(account: Account) -> None:
    gateway = Gateway()
    async with browser(account, gateway=gateway) as client:
        for number, status in ((2, 404), (1, 303)):
            path = f"/campaigns/teams/press/subscriptions/{number}/end"
            assert (await client.post(path, data={"csrf": CSRF})).status_code == status
    assert gateway.changes == ["/v1/subscriptions/1"]


async def test_the_agency_changes_all_of_its_teams() -> None:
    gateway = Gateway()
    async with browser(AGENCY, gateway=gateway) as client:
        for path in ("/campaigns/teams/radio/close", f"/campaigns/webhooks/{OTHER}/disable"):
            assert (await client.post(path, data={"csrf": CSRF})).status_code == 303
    assert gateway.changes == ["/v1/teams/radio", f"/v1/webhooks/{OTHER}/disable"]


class Inbox:
    """A read API with one campaign, which the inbox of these teams has. None: the agency has no such team."""

    app = FastAPI()

    def __init__(self, teams: dict[str, bool]) -> None:
        self._teams = teams

    async def get(self, caller: Caller, path: str, parameters: Any) -> Answer:
        found = campaign(acknowledged_index=None, acknowledged=None)
        if path != "/v1/inbox":
            return Answer(found, log_index=1)
        if parameters["team"] not in self._teams:
            raise NotAnswered(404, {"type": "/problems/not-found"})
        return Answer([found] if self._teams[parameters["team"]] else [], log_index=1)


@pytest.mark.parametrize(
    ("account", "inbox", "status"),
    [(TEAM, {"press": True}, 200), (TEAM, {"press": False}, 403), (TEAM, {}, 403), (AGENCY, {}, 200)],
)
async def test_a_team_reports_about_campaigns_that_its_subscriptions_choose(
    account: Account, inbox: dict[str, bool], status: int
) -> None:
    path = "/campaigns/service-launched.i4/acknowledge"
    async with browser(account, read_api=Inbox(inbox)) as client:
        assert (await client.get(path)).status_code == status
        sent = {"csrf": CSRF, "by": "press", "on": "2026-11-26"}
        assert (await client.post(path, data=sent)).status_code == (503 if status == 200 else 403), "503: no gateway"
