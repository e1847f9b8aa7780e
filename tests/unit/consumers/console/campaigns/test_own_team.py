"""A team's account changes its own team and reports about its own campaigns; the agency's account, all of its teams."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from fastapi.routing import APIRoute

from consumers.console.accounts.accounts import Account
from consumers.console.pages.campaigns import teams, webhooks
from consumers.console.web.templates import Templates
from consumers.documents.document import Name
from consumers.documents.names import Names
from consumers.documents.teams.teams import Subscription
from infra.http.problems import Problem
from tests.every import every
from tests.world.campaigns import campaign, inbox_item
from tests.world.entries import TEXT
from tests.world.pages import AGENCY, CSRF, OFFICE, TEAM, Documents, Replies, browser, page, stored

OWN, OTHER = "ep_aaaaaaaaaaaaaaa2", "ep_bbbbbbbbbbbbbbb2"
ROUTES = [
    (method, route.path)
    for route in (*teams.routes.routes, *webhooks.routes.routes)
    if isinstance(route, APIRoute) and "{" in route.path
    for method in sorted(route.methods or ())
]


AT: Final = "2026-11-01T08:00:00Z"
WEBHOOK: Final = {"url": "https://hooks.example/", "created_at": AT, "secrets": []} | dict.fromkeys(
    ("failing_since", "disabled_at", "disabled_reason")
)
SUBSCRIPTION: Final[dict[str, Any]] = dict.fromkeys(Subscription.__struct_fields__)
SUBSCRIPTION.update(route="email", from_index=0, created_at=AT)
ROWS: Final = {
    "/v1/webhooks": [
        WEBHOOK | {"endpoint_id": OWN, "team": "press"},
        WEBHOOK | {"endpoint_id": OTHER, "team": "radio"},
    ],
    "/v1/subscriptions": [
        SUBSCRIPTION | {"subscription_id": 1, "team": "press"},
        SUBSCRIPTION | {"subscription_id": 2, "team": "radio"},
    ],
}


class Gateway(Replies):
    """It has two teams with a webhook and a subscription each."""

    def __init__(self) -> None:
        super().__init__(lambda _, path: (200, ROWS.get(path.partition("?")[0], {})))

    @property
    def changes(self) -> list[str]:
        """What it was asked to change."""
        return [request.path for request in self.requests if request.method != "GET"]


async def test_a_team_neither_opens_nor_changes_another_team() -> None:
    assert ROUTES
    gateway, others = Gateway(), {"team": "radio", "endpoint_id": OTHER, "subscription_id": "2"}
    async with browser(TEAM, gateway=gateway) as client:
        for method, path in ROUTES:
            given = {"csrf": CSRF} if method == "POST" else None
            answer = await client.request(method, path.format_map(others), data=given)
            assert (answer.status_code, gateway.changes) == (403, []), path
        assert (await client.post("/campaigns/new-team", data={"csrf": CSRF, "team": "radio"})).status_code == 403
        assert gateway.changes == []
        await client.post("/campaigns/new-team", data={"csrf": CSRF, "team": "press"})
        assert gateway.changes == ["/v1/teams"]


@every("account", [TEAM, AGENCY])
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


@every("closed_at", [None, AT])
async def test_a_teams_page_shows_what_is_its_own_and_a_closed_one_offers_no_change(closed_at: str | None) -> None:
    counts = dict.fromkeys(("contacts", "webhooks", "subscriptions"), 1)
    team = {"team": "press", "name": TEXT, "language": "ar", "created_at": AT, "closed_at": closed_at, **counts}
    address = {"address": "media@health.example", "state": "confirmed", "since": AT, "used_until": None}
    contacts = {"team": "press", "contacts": ["media@health.example"], "addresses": [address], "not_sent": []}
    rows = {**ROWS, "/v1/teams/press": team, "/v1/teams/press/contacts": contacts}
    gateway = Replies(lambda _, path: (200, rows[path.partition("?")[0]]))
    text = (await page(TEAM, "/campaigns/teams/press", "en", gateway=gateway)).text
    assert [one for one in (OWN, OTHER, "subscription-1", "subscription-2", "media@") if one in text] == [
        *(OWN, "subscription-1")
    ]
    assert ("m…@health.example" in text, "/press/contacts" in text) == (closed_at is None, closed_at is None)


def inbox(teams: dict[str, bool]) -> Documents:
    """A read API with one campaign, which the inbox of these teams has. The agency has no other teams."""

    def answer(name: str, given: Any) -> Any:
        if name == "inbox_for":
            team = given["asked"].team
            if team not in teams:
                raise Problem("not-found")
            return [inbox_item()] if teams[team] else []
        return campaign()

    return Documents(answer)


@every(
    ("account", "teams", "status"),
    [(TEAM, {"press": True}, 200), (TEAM, {"press": False}, 403), (TEAM, {}, 403), (AGENCY, {}, 200)],
)
async def test_a_team_reports_about_its_campaigns(account: Account, teams: dict[str, bool], status: int) -> None:
    path = "/campaigns/service-launched.i4/acknowledge"
    async with browser(account, read_api=inbox(teams)) as client:
        assert (await client.get(path)).status_code == status
        sent = {"csrf": CSRF, "by": "press", "on": "2026-11-26"}
        assert (await client.post(path, data=sent)).status_code == (503 if status == 200 else 403), "503: no gateway"


@every("state", ["refused", "lost"])
async def test_a_report_that_is_final_without_an_entry_is_not_waited_for(state: str) -> None:
    sent = stored("agency.health.events/0/7")
    gateway = Replies(lambda method, _: (202, sent) if method == "POST" else (200, {"state": state}))
    async with browser(TEAM, read_api=inbox({"press": True}), gateway=gateway) as client:
        given = {"csrf": CSRF, "by": "press"}
        answer = await client.post("/campaigns/service-launched.i4/acknowledge", data=given)
    assert answer.status_code == 303
    assert [request.method for request in gateway.requests] == ["POST", "GET"]


PATH = "/campaigns/service-launched.i4"


def read_only(name: str, given: Any, owner: str = "health") -> Any:
    if name == "explanation_for":
        raise Problem("not-found")
    return campaign(owner=owner)


async def test_where_the_gateway_is_away_what_was_typed_stays() -> None:
    typed = {"outlet_ar": "القناة الأولى", "outlet_en": "Channel One", "on": "2026-11-26", "reach": "250,000"}
    async with browser(AGENCY, "en", read_api=Documents(read_only)) as client:
        assert (await client.get(f"{PATH}/air")).status_code == 200
        answer = await client.post(f"{PATH}/air", data={"csrf": CSRF, "channel": "radio", **typed})
    assert (answer.status_code, "Nothing was sent." in answer.text) == (503, True)
    assert [text for text in typed.values() if f'value="{text}"' not in answer.text] == []


@every(
    "claim",
    [
        *("ack.service-launched.i4", "%3Cscript%3E", "ack.other.i1&address=agency.health.events/0/0"),
        "ack.service-launched.i4&address=agency.health.events/0/999999",
    ],
)
async def test_what_an_address_claims_about_a_report_is_not_believed(claim: str) -> None:
    unknown = Replies(lambda *_: (404, {}))
    async with browser(AGENCY, "en", read_api=Documents(read_only), gateway=unknown) as client:
        text = (await client.get(f"{PATH}?report={claim}")).text
    assert ("on its way" in text) is claim.endswith("999999")
    assert not [said for said in ("Recorded</h2>", "Nothing changed") if said in text]


@every(
    ("account", "owner", "may_report"),
    [
        *((AGENCY, "health", True), (Account("desk", "agency", "labour"), "health", False)),
        *((OFFICE, "health", False), (OFFICE, "yesser", True)),
    ],
)
async def test_only_its_own_agency_is_offered_to_report_about_a_campaign_and_may(
    account: Account, owner: str, may_report: bool
) -> None:
    async with browser(account, "en", read_api=Documents(partial(read_only, owner=owner))) as client:
        assert (f'href="{PATH}/air"' in (await client.get(PATH)).text) is may_report
        assert ((await client.get(f"{PATH}/air")).status_code == 403) is not may_report


async def test_a_brief_names_the_agency_in_the_language_of_each_half() -> None:
    names: Names = {("agency", "health"): Name("وزارة الصحة", "Ministry of Health")}
    parts: dict[str, Any] = {"read_api": Documents(partial(read_only, owner="health")), "templates": Templates(names)}
    arabic, english = (await page(AGENCY, "/campaigns/any/brief", "ar", **parts)).text.split('<section class="sheet"')[
        1:
    ]
    assert ("وزارة الصحة" in arabic, "Ministry of Health" in arabic) == (True, False)
    assert ("وزارة الصحة" in english, "Ministry of Health" in english) == (False, True)
    team = (await page(TEAM, "/account", "en", **parts)).text
    assert "Ministry of Health" in team
    assert 'href="/campaigns/teams/press"' in team
