"""What an error page says: to people at a browser, in their language, and nothing that may be false."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any, get_args

from fastapi.routing import iter_route_contexts

from consumers.console.accounts.accounts import Role
from consumers.console.app import COMPONENTS, pages
from consumers.console.pages.partnerships import what_if
from consumers.console.web.explanations import explanation_of
from infra.http.problems import EXPLANATIONS, RequestCode, changed_entry
from tests.every import every
from tests.world.pages import (
    ADMINISTRATOR,
    AGENCY,
    CSRF,
    TEAM,
    Documents,
    Positions,
    Replies,
    account_of,
    browser,
    page,
    parts_for,
)

OF_PROGRAMS = re.compile(r"token|route|header|batch|JSON|OpenAPI|/docs|parameter|رمز الدخول|معامل|ترويسة|دفعات|مسار")
REACHED = (
    "malformed-request", "unauthenticated", "forbidden", "not-found", "no-such-route", "method-not-allowed",
    "request-too-large", "bad-parameter", "unknown-parameter", "invalid-body", "not-allowed-now", "too-many-requests",
    "kafka-away", "database-away", "overloaded", "outcome-unknown", "gateway-fault",
)  # fmt: skip


@every("code", get_args(RequestCode))
def test_a_page_has_the_status_of_its_problem(code: RequestCode) -> None:
    found = explanation_of(code)
    assert found.status == EXPLANATIONS[code].status
    for text in (found.title, found.detail):
        assert text.ar
        assert text.en
        if code in REACHED:
            assert not OF_PROGRAMS.search(text.en + text.ar)


async def test_an_error_page_speaks_to_its_reader() -> None:
    async with browser(TEAM, "en") as client:
        for path, status, said in (
            ("/partnerships", 403, "Your account does not allow this"),
            ("/no-such-page", 404, "There is no page at this address"),
            ("/workspace/send", 405, "This page does not open by its address"),
            ("/campaigns?after=" + "x" * 5_000, 422, "A value is not valid"),
            ("/campaigns?yesterday=1", 400, "yesterday\u2069: Known here: after"),
            ("/campaigns/teams", 503, "The gateway does not answer now"),
            ("/plan/projects/P-1", 503, "look whether it arrived"),
        ):
            answer = await client.get(path)
            assert (answer.status_code, said in answer.text) == (status, True), path
            shown = answer.text.partition("<main")[2].partition("<code")[0]
            assert not OF_PROGRAMS.search(re.sub(r"<[^>]*>", " ", shown)), path


async def test_what_an_address_lacks_is_read_in_the_direction_of_the_page() -> None:
    for language, direction, said in (("ar", "rtl", "المعروف هنا"), ("en", "ltr", "Known here")):
        answer = await page(TEAM, "/campaigns?yesterday=1", language)
        assert f'<li><bdi dir="{direction}">\u2068yesterday\u2069: {said}: ' in answer.text


async def test_a_page_names_the_release_to_who_is_signed_in() -> None:
    assert f"Yesser Events {version('yesser-events')}" in (await page(TEAM, "/components")).text
    assert version("yesser-events") not in (await page(None, "/sign-in")).text


async def test_every_page_refuses_a_parameter_that_it_does_not_know() -> None:
    """What an identity provider adds to its answer is the exception."""
    routes = iter_route_contexts(pages(parts_for(ADMINISTRATOR)).routes)
    paths = {str(route.path) for route in routes if route.methods == {"GET"}}
    opened = 0
    async with browser(AGENCY, "en") as client:
        for path in sorted(paths - {*what_if.PATHS, COMPONENTS}):  # the first compare the names with those of the terms
            address = re.sub(r"\{\w+\}", "1", path.replace("{type_name}", "service.launched"))
            answer = await client.get(address, params={"as_of_yesterday": "1"})
            opened += answer.status_code == 400
            assert answer.status_code in (400, 403), path  # another role's page says nothing of its parameters
            assert answer.status_code == 403 or "as_of_yesterday" in answer.text, path
    assert opened > 40


@every(
    ("role", "index", "shown"),
    [
        ("office", 5, 'href="/audit/entries/5"'),
        ("team", 5, "The changed entry:"),
        ("office", None, "What is stored differs from the log"),
    ],
)
async def test_a_changed_entry_is_named_whoever_found_it(role: Role, index: int | None, shown: str) -> None:
    def changed(path: str, parameters: Any) -> Any:
        raise changed_entry(index)

    live = Positions(projections=900)
    answer = await page(account_of(role), "/plan?as_of_index=7", "en", read_api=Documents(changed), live=live)
    assert (answer.status_code, shown in answer.text) == (500, True)
    assert "What is stored differs from the log" in answer.text
    assert ("/audit/entries/" in answer.text) is ("href" in shown)
    assert not [words for words in ("Something went wrong", "suspect tampering") if words in answer.text]


async def test_what_prevents_a_change_is_said() -> None:
    errors = [{"detail": "The team <b> has open subscriptions."}]
    refusing = Replies(lambda *_: (409, {"type": "/problems/not-allowed-now", "errors": errors}))
    async with browser(TEAM, gateway=refusing) as client:
        answer = await client.post("/campaigns/teams/press/close", data={"csrf": CSRF})
    assert answer.status_code == 409
    assert "The team &lt;b&gt; has open subscriptions." in answer.text
