"""What each role may open, and what a suspended agency may not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from consumers.console.accounts.accounts import ROLES, Role
from consumers.console.app import pages
from consumers.console.page_request import ITEMS
from consumers.console.web.rendered import Rendered
from consumers.documents.document import document_of
from consumers.documents.programme.directory import ProjectAndHistory
from tests.every import every
from tests.world.pages import CSRF, Documents, Positions, account_of, browser, page, parts_for

EVERYBODY = frozenset(ROLES)
ENTRIES = frozenset[Role](("office", "agency", "auditor", "partner", "treasury"))
ADMINISTRATOR = frozenset[Role](("administrator",))
MAY_OPEN: dict[str, frozenset[Role]] = {
    **{item.path: item.roles for item in ITEMS},
    "/plan/partnerships.csv": frozenset(("office", "agency", "auditor")),
    "/audit/entries/": ENTRIES,
    "/explain/plan/partnerships": ENTRIES,
    "/explain/statements": ENTRIES,
    "/explain/plan/services": ENTRIES | {"team"},
    "/operations/accounts": ADMINISTRATOR,
    "/approvals": ADMINISTRATOR,
    "/campaigns/teams/1": frozenset(("office", "agency")),  # another team of the agency
    **dict.fromkeys(("/account", "/components", "/sign-in", "/language", "/sign-out"), EVERYBODY),
}
"""Who may open what begins with a path; the longest one counts."""
FILLED = {
    "/plan/{table}.csv": ["/plan/partnerships.csv", "/plan/agencies.csv"],
    "/explain/{model}/{key}": [
        "/explain/plan/partnerships/P-1/net_halalas",
        "/explain/statements/P-1/2026-01",
        "/explain/plan/services/1/launched",
    ],
}
NOT_TRIED = ("/", "/live", "/static/{name}")


@cache
def paths() -> list[str]:
    """An address for each page, and for each kind of figure that is explained."""
    of_app = pages(parts_for(None)).openapi()["paths"]
    found = [path for path, methods in of_app.items() if "get" in methods and path not in NOT_TRIED]
    return [address for path in found for address in FILLED.get(path, [re.sub(r"\{[^}]*\}", "1", path)])]


@every("role", ROLES)
async def test_each_role_opens_its_own_pages_and_no_others(role: Role) -> None:
    assert len(paths()) > 50
    async with browser(account_of(role)) as client:
        (navigation,) = re.findall('class="main-nav".*?</nav>', (await client.get("/account")).text, re.DOTALL)
        assert re.findall('href="([^"]*)"', navigation) == [item.path for item in ITEMS if role in item.roles]
        for path in paths():
            room = max((begin for begin in MAY_OPEN if path.startswith(begin)), key=len)
            is_refused = (await client.get(path)).status_code == 403
            assert is_refused == (role not in MAY_OPEN[room]), path


FIRST = {"/account/password", "/sign-in", "/sign-out", "/language"}
"""What answers somebody with a first password."""


async def test_a_first_password_opens_the_page_to_choose_another_and_no_other() -> None:
    routes = pages(parts_for(None)).openapi()["paths"]
    routes |= {path: {"get": None} for path in ("/v1/plan", "/v1/entries", "/plan/services.csv")}
    async with browser(replace(account_of("office"), must_change_password=True)) as client:
        for path, method in ((path, method) for path, methods in routes.items() for method in methods):
            answer = await client.request(method, re.sub(r"\{[^}]*\}", "1", path), data={"csrf": CSRF})
            found = answer.status_code, answer.headers.get("location")
            is_page = not path.startswith(("/v1/", "/live"))
            refused = (303, "/account/password") if is_page else (403, None)
            assert (found == refused) is not (path in FIRST or path.startswith("/static/")), f"{method} {path}"


@every("role", ["team", "agency"])
async def test_no_figure_is_reached_through_the_address_of_another(role: Role) -> None:
    """The database of these tests is away: what is asked for is answered 503."""
    async with browser(account_of(role)) as client:
        assert (await client.get("/explain/plan/services/1/launched")).status_code == 503
        for figure in (
            "plan/x%2F..%2Fpartnerships%2FP-1%2Fnet_halalas",
            "plan/x%2F%2E%2E%2Fpartnerships%2FP-1%2Fnet_halalas",
            "plan/.%2Fpartnerships%2FP-1%2Fnet_halalas",
            "services/1%2F..%2F..%2Fstatements%2FP-1%2F2026-01",
            "services/1%2F..%2F..%2F..%2Fpartnerships",
            "plan/x%2F..",
        ):
            assert (await client.get(f"/explain/{figure}")).status_code == 404, figure


@every("role", ["team", "administrator"])
async def test_a_campaign_team_and_an_administrator_read_no_documents(role: Role) -> None:
    parts = parts_for(None)
    paths = [path for path, methods in parts.read_api.app.openapi()["paths"].items() if "get" in methods]
    assert {"/v1/partnerships", "/v1/entries", "/v1/refusals", "/v1/proofs/{index}"} <= {*paths}
    async with browser(account_of(role)) as client:
        for path in paths:
            answer = await client.get(re.sub(r"\{[^}]*\}", "1", path))
            assert answer.status_code in (403, 422), path


@every(("role", "problem"), [("agency", "suspended"), ("team", "forbidden")])
async def test_a_suspended_agency_reads_no_page_and_no_document(role: Role, problem: str) -> None:
    async with browser(replace(account_of(role), is_suspended=True), "en") as client:
        for path in ("/plan", "/plan/services.csv", "/campaigns", "/explain/plan/anomalies/count"):
            answer = await client.get(path)
            assert (answer.status_code, "The agency is suspended" in answer.text) == (403, True), path
        assert (await client.get("/workspace/tokens")).status_code == 403
        for path in ("/v1/plan", "/v1/entries", "/v1/partnerships"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, f"{problem}"), path


def one_project(path: str, parameters: Any) -> ProjectAndHistory:
    name = {"ar": "مشروع", "en": "Project"}
    step = {"index": 7, "found_index": 7, "type": "project.registered", "agency": "health"}
    history = [{**step, "happened_on": "2026-01-01", "phase": None, "data": None}]
    about = {"project_id": "P-1", "agency": "health", "kind": "infrastructure", "state": "registered", "name": name}
    figures: dict[str, Any] = {"phases": 1, "started": 0, "completed": 0, "cancelled_on": None, "phase_states": []}
    entries = {"plan_id": "PLAN", "first_index": 7, "last_index": 7}
    return document_of(ProjectAndHistory, {**about, **figures, **entries, "history": history})


async def test_an_entry_is_a_link_only_for_who_may_open_it() -> None:
    """Also where the page was rendered before, for the same agency's other account."""
    kept = Rendered(Positions(projections=7).positions, lambda: datetime.now(UTC))
    shown: tuple[tuple[Role, bool], ...] = (("agency", True), ("team", False), ("agency", True))
    for role, has_link in shown:
        answer = await page(account_of(role), "/plan/projects/P-1", read_api=Documents(one_project), rendered=kept)
        assert answer.status_code == 200
        assert ('href="/audit/entries/7"' in answer.text) is has_link


async def test_a_team_begins_with_what_it_must_do_and_the_menu_counts_what_waits() -> None:
    homes: tuple[tuple[Role, str], ...] = (("team", "/campaigns"), ("agency", "/plan"))
    for role, first in homes:
        async with browser(account_of(role), "en", read_api=Documents(one_project, waiting=3)) as client:
            assert (await client.get("/")).headers["location"] == first
            shown = await client.get("/account")
            assert '>3</bdi><span class="visually-hidden"> waiting<' in shown.text
            again = await client.get("/account", headers={"X-Live": "1"})
            assert "waiting<" not in again.text, "what an open page loads again has no menu that anybody sees"
    assert "waiting<" not in (await page(account_of("office"), "/account", read_api=Documents(one_project, 3))).text
    assert "/components" not in (await page(account_of("partner"), "/account")).text


@every(
    ("header", "chosen", "language"),
    [("en-GB,en;q=0.9", None, "en"), ("fr", None, "ar"), ("", None, "ar"), ("en", "ar", "ar")],
)
async def test_the_page_to_sign_in_follows_the_browser_until_a_language_is_chosen(
    header: str, chosen: str | None, language: str
) -> None:
    async with browser(None, chosen) as client:
        assert f'<html lang="{language}"' in (await client.get("/sign-in", headers={"accept-language": header})).text
