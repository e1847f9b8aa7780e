"""What a browser may keep of the console's answers: static files, and nothing that is one person's."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from consumers.api.reader import Reads, State, names
from consumers.console.accounts.accounts import Account
from consumers.console.data.read_api import ReadApi, caller_of
from consumers.console.web.assets import assets
from infra.http.routes import RouteParts
from infra.settings import Settings
from tests.every import every
from tests.world.pages import OFFICE, browser, page, parts_for


def documents(parts: RouteParts, reads: Reads) -> APIRouter:
    """Routes that answer as those of the read API do: each caller its own, all under the same tag."""
    routes = APIRouter()

    @routes.get("/v1/of-the-tests")
    async def document(request: Request, cache_control: str = "private, no-cache") -> Response:
        headers = State([1042], cache_control=cache_control).headers()
        if names(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(None, 304, headers)
        return Response((await caller_of(request)).name, 200, headers, "text/plain")

    return routes


@every("cache_control", ["private, no-cache", "private, max-age=31536000, immutable"])
async def test_a_document_of_one_account_is_not_shown_to_the_next_at_the_same_browser(cache_control: str) -> None:
    address = f"/v1/of-the-tests?cache_control={cache_control}"
    read_api = ReadApi(RouteParts(Settings(), parts_for(None).reads, caller_of), documents)
    for account in (OFFICE, Account("digital", "partner", partners=("commerce/P-1",))):
        async with browser(account, read_api=read_api) as client:
            for known in ({}, {"if-none-match": 'W/"1042"'}):
                answer = await client.get(address, headers=known)
                assert (answer.status_code, answer.text) == (200, f"console/{account.username}")
                assert answer.headers["cache-control"] == "private, no-store"
                assert "etag" not in answer.headers


async def test_a_static_file_is_kept() -> None:
    answer = await page(None, assets()["console.css"].address)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
