"""A parameter that a route does not know is named with those that it knows; no route drops one in silence."""

from __future__ import annotations

from typing import Any, cast

import pytest
from httpx import ASGITransport, AsyncClient, Response

from infra.settings import Settings
from producers.gateway.app import application
from producers.gateway.routes.pages import openapi_document
from producers.gateway.routes.parts import Parts

NOTHING = cast(Any, None)
PARTS = Parts(Settings(), NOTHING, NOTHING, NOTHING, NOTHING)
APPLICATION = application(PARTS)
OPERATIONS = [
    (method, path, [row["name"] for row in operation.get("parameters", []) if row["in"] == "query"])
    for path, operations in cast(dict[str, Any], openapi_document(APPLICATION)["paths"]).items()
    for method, operation in operations.items()
]


async def ask(method: str, path: str, query: str) -> Response:
    """What the routes answer without any service: an unknown parameter is found before anything else."""
    async with AsyncClient(transport=ASGITransport(APPLICATION), base_url="http://gateway") as client:
        return await client.request(method, f"{path}?{query}")


@pytest.mark.parametrize(("method", "path", "known"), OPERATIONS, ids=[f"{m} {p}" for m, p, _ in OPERATIONS])
async def test_an_unknown_parameter_is_400_on_every_route(method: str, path: str, known: list[str]) -> None:
    answer = await ask(method, path, "limt=5&agncy=x")
    document = answer.json()
    assert (answer.status_code, document["type"]) == (400, "/problems/unknown-parameter")
    assert [row["parameter"] for row in document["errors"]] == ["limt", "agncy"]
    for row in document["errors"]:
        assert all(name in row["detail"] for name in known)


async def test_so_it_is_on_pages() -> None:
    assert (await ask("GET", "/docs", "x=1")).json()["errors"][0]["detail"] == "This route has no parameters."
    assert (await ask("GET", "/schemas/entry.json", "=")).status_code == 400


async def test_the_known_ones_are_named_in_order() -> None:
    (row,) = (await ask("GET", "/v1/receipts", "since=1&wait=3")).json()["errors"]
    assert row == {
        "code": "unknown-parameter",
        "parameter": "wait",
        "detail": "Known here: agency, limit, since, wait_s.",
    }


async def test_a_name_that_holds_personal_data_is_not_said_again() -> None:
    answer = await ask("GET", "/v1/receipts", f"1064971268=1&{'x' * 500}=2")
    assert [row["parameter"] for row in answer.json()["errors"]] == ["(personal data)", "x" * 64]
    assert "1064971268" not in answer.text


async def test_of_many_unknown_names_only_the_first_are_listed() -> None:
    answer = await ask("GET", "/v1/receipts", "&".join(f"x{number}" for number in range(2_000)))
    assert len(answer.json()["errors"]) == 20
