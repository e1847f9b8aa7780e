"""The documentation on the gateway: without services, without a token, and with nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from infra.settings import Settings
from producers.gateway.app import application
from producers.gateway.routes.parts import Parts

NOTHING = cast(Any, None)


@cache
def gateway() -> FastAPI:
    return application(Parts(Settings(), NOTHING, NOTHING, NOTHING, NOTHING))


async def get(path: str, **headers: str) -> Response:
    """What a gateway without any service answers."""
    async with AsyncClient(transport=ASGITransport(gateway()), base_url="http://gateway") as client:
        return await client.get(path, headers=headers, follow_redirects=True)


async def test_the_root_leads_to_the_documentation() -> None:
    answer = await get("/")
    assert (answer.status_code, answer.url.path) == (200, "/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (await get("/docs/")).content == answer.content


async def test_the_browser_is_told_to_load_nothing_from_elsewhere() -> None:
    for path in ("/docs/events/service.launched", "/docs/api"):
        policy = (await get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert not [word for word in ("script-src", "unsafe", "http") if word in policy]


async def test_documents_have_their_types() -> None:
    assert (await get("/asyncapi.json")).json()["asyncapi"] == "3.0.0"
    assert (await get("/schemas/service.launched.v1.json")).json()["title"] == "sa.gov.yesser.service.launched.v1"
    assert (await get("/openapi.json")).json()["openapi"].startswith("3.1")
    assert (await get("/docs/site.css")).headers["content-type"] == "text/css; charset=utf-8"


async def test_the_documentation_is_no_part_of_the_openapi_document() -> None:
    assert not [path for path in (await get("/openapi.json")).json()["paths"] if path.startswith(("/docs", "/schemas"))]


async def test_a_page_that_the_client_has_is_not_sent_again() -> None:
    first = await get("/problems/conflict")
    again = await get("/problems/conflict", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_an_address_without_a_language_answers_in_that_of_the_reader() -> None:
    for path in ("/docs", "/docs/events", "/schemas", "/problems/conflict"):
        for language in ("ar", "en"):
            answer = await get(path, **{"Accept-Language": f"{language}-SA,fr;q=0.5"})
            assert answer.headers["content-language"] == language
            assert answer.headers["vary"] == "Accept-Language"
            named = await get(f"/docs/{language}{path.removeprefix('/docs')}", **{"Accept-Language": "fr"})
            assert (named.content, named.headers["content-language"]) == (answer.content, language)


async def test_the_style_is_the_same_for_every_reader() -> None:
    assert not {"vary", "content-language"} & set((await get("/docs/site.css")).headers)


async def test_what_is_not_there_is_a_problem() -> None:
    for path in (
        "/docs/events/no.such-type",
        "/docs/fr/events",
        "/docs/ar/docs/events",
        "/docs/ar/site.css",
        "/problems/<script>",
        "/schemas/..%2f..%2fetc",
        "/docs/../app.py",
    ):
        answer = await get(path)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-route"), path


async def test_an_address_that_no_route_has_names_the_list_of_routes() -> None:
    for path in ("/v1/event", "/v2/events", "/v1/events/", "/favicon.ico"):
        answer = await get(path)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-route"), path
        assert answer.json()["detail"] == "No such route; the list is at /docs/api."


async def test_the_schemas_have_an_index_for_readers_and_one_for_programs() -> None:
    page = await get("/schemas/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for address in (await get("/schemas/index.json")).json().values():
        assert address in page.text
        assert (await get(address)).json()["$schema"]


async def test_what_agencies_and_operators_read_is_under_docs_and_the_start_page_leads_there() -> None:
    start = (await get("/docs")).text
    for path in ("/docs/files", "/docs/outbox", "/docs/runbook", "/schemas"):
        assert f'href="/docs/en{path.removeprefix("/docs")}"' in start
        assert (await get(path)).status_code == 200
