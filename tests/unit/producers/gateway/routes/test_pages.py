"""The documentation on the gateway: without services, without a token, and with nothing from elsewhere."""

from __future__ import annotations

from tests.world.gateways import answer_of


async def test_the_root_leads_to_the_documentation_and_that_to_what_agencies_and_operators_read() -> None:
    answer = await answer_of("/")
    assert (answer.status_code, answer.url.path) == (200, "/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (await answer_of("/docs/")).content == answer.content
    for path in ("/docs/files", "/docs/outbox", "/docs/runbook", "/schemas"):
        assert f'href="/docs/en{path.removeprefix("/docs")}"' in answer.text
        assert (await answer_of(path)).status_code == 200


async def test_the_browser_may_load_nothing_from_elsewhere_and_a_page_that_it_has_not_again() -> None:
    for path in ("/docs/events/service.launched", "/docs/api"):
        policy = (await answer_of(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert not [word for word in ("script-src", "unsafe", "http") if word in policy]
    first = await answer_of("/problems/conflict")
    again = await answer_of("/problems/conflict", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_documents_have_their_types() -> None:
    assert (await answer_of("/asyncapi.json")).json()["asyncapi"] == "3.0.0"
    assert (await answer_of("/schemas/service.launched.v1.json")).json()["title"] == "sa.gov.yesser.service.launched.v1"
    style = (await answer_of("/docs/site.css")).headers
    assert style["content-type"] == "text/css; charset=utf-8"
    assert not {"vary", "content-language"} & set(style), "it is the same for every reader"
    document = (await answer_of("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert not [path for path in document["paths"] if path.startswith(("/docs", "/schemas"))]


async def test_an_address_without_a_language_answers_in_that_of_the_reader() -> None:
    for path in ("/docs", "/docs/events", "/schemas", "/problems/conflict"):
        for language in ("ar", "en"):
            answer = await answer_of(path, language=f"{language}-SA,fr;q=0.5")
            assert answer.headers["content-language"] == language
            assert answer.headers["vary"] == "Accept-Language"
            named = await answer_of(f"/docs/{language}{path.removeprefix('/docs')}", language="fr")
            assert (named.content, named.headers["content-language"]) == (answer.content, language)


async def test_what_is_not_there_is_a_problem_that_names_the_list_of_routes() -> None:
    for path in (
        *("/docs/events/no.such-type", "/docs/fr/events", "/docs/ar/docs/events", "/docs/ar/site.css"),
        *("/problems/<script>", "/schemas/..%2f..%2fetc", "/docs/../app.py"),
        *("/v1/event", "/v2/events", "/v1/events/", "/favicon.ico"),
    ):
        answer = await answer_of(path)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "no-such-route"), path
        assert answer.json()["detail"] == "No such route; the list is at /docs/api."


async def test_the_schemas_have_an_index_for_readers_and_one_for_programs() -> None:
    page = await answer_of("/schemas/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for address in (await answer_of("/schemas/index.json")).json().values():
        assert address in page.text
        assert (await answer_of(address)).json()["$schema"]


async def test_the_type_of_a_problem_is_an_address_that_explains_it() -> None:
    found = (await answer_of("/nothing")).json()["type"]
    assert found == "http://gateway/problems/no-such-route"
    for language, title in (("en", "No such route"), ("ar", "لا يوجد مسار كهذا")):
        assert title in (await answer_of(found, language=language)).text
