"""The OpenAPI document says what is answered: every status that can come, no other, and each answer's media type."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.every import every
from tests.world.gateways import answer_of, openapi


@cache
def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, methods in openapi()["paths"].items()
        for method, operation in methods.items()
    }


def responses(name: str) -> dict[str, Any]:
    found: dict[str, Any] = operations()[name]["responses"]
    return found


def test_every_operation_may_refuse_parameters_and_too_many_requests_and_some_what_is_invalid() -> None:
    for name in operations():
        assert {"400", "414", "429"} <= responses(name).keys(), name
    for name in ("post /v1/events:validate", "get /v1/events/{id}", "get /v1/log", "get /v1/commitments"):
        assert "422" not in responses(name), name
    for name in ("post /v1/events", "get /v1/receipts", "get /v1/proofs/{index}", "get /v1/services/{service_id}"):
        assert "422" in responses(name), name


@every("path", ["/v1/key", "/v1/keys", "/problems/{code}"])
async def test_a_public_answer_has_a_media_type_of_the_document(path: str) -> None:
    answer = await answer_of(path.replace("{code}", "conflict"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] in responses(f"get {path}")["200"]["content"]


def test_a_proof_is_json_or_a_text_to_save() -> None:
    found = responses("get /v1/proofs/{index}")["200"]
    assert list(found["content"]) == ["application/json", "text/plain; charset=utf-8"]
    assert "Content-Disposition" in found["headers"]


@every(
    ("status", "header"),
    [("401", "WWW-Authenticate"), ("429", "Retry-After"), ("503", "Retry-After"), ("504", "Retry-After")],
)
def test_a_problem_names_its_headers(status: str, header: str) -> None:
    found = [operation["responses"][status] for operation in operations().values() if status in operation["responses"]]
    assert found
    for problem in found:
        for name in (header, "Content-Language"):
            assert problem["headers"][name] == {"$ref": f"#/components/headers/{name}"}
            assert name in openapi()["components"]["headers"]


@every(
    ("name", "is_said"),
    [
        ("get /v1/proofs/{index}", True),
        ("get /log/0/checkpoint", True),
        ("get /log/0/checkpoint.newest", True),
        ("get /v1/services/{service_id}", False),
    ],
)
def test_what_is_not_there_yet_says_when_to_ask_again(name: str, is_said: bool) -> None:
    assert ("Retry-After" in responses(name)["404"]["headers"]) is is_said


def test_a_list_names_its_next_page_and_the_table_that_it_comes_as() -> None:
    names = {name for name in operations() if "200" in operations()[name]["responses"]}
    lists = {name for name in names if any(one["name"] == "after" for one in operations()[name].get("parameters", ()))}
    paged = {name for name in names if "Link" in responses(name)["200"].get("headers", {})}
    assert lists <= paged
    tables = {name for name in names if "text/csv" in responses(name)["200"].get("content", {})}
    statement = "get /v1/partnerships/{partnership_id}/statements/{period}"
    assert tables == {"get /v1/campaigns", "get /v1/inbox", "get /v1/coverage", statement}
