"""A parameter that a route does not know is named with those that it knows; no route drops one in silence."""

from __future__ import annotations

from httpx import Response

from tests.every import every
from tests.world.gateways import answer_of, openapi


def operations() -> list[tuple[str, str, list[str]]]:
    """The method, the address and the parameters of every route."""
    return [
        (method, path, [row["name"] for row in operation.get("parameters", []) if row["in"] == "query"])
        for path, methods in openapi()["paths"].items()
        for method, operation in methods.items()
    ]


async def ask(method: str, path: str, query: str, language: str = "en") -> Response:
    """What the routes answer without any service: an unknown parameter is found before anything else."""
    return await answer_of(f"{path}?{query}", method, language=language)


@every(("method", "path", "known"), operations)
async def test_an_unknown_parameter_is_400_on_every_route(method: str, path: str, known: list[str]) -> None:
    answer = await ask(method, path, "limt=5&agncy=x")
    document = answer.json()
    assert (answer.status_code, document["type"]) == (400, "http://gateway/problems/unknown-parameter")
    assert [row["parameter"] for row in document["errors"]] == ["limt", "agncy"]
    for row in document["errors"]:
        assert all(name in row["detail"] for name in known)


async def test_the_known_ones_are_named_in_order_and_a_page_has_none() -> None:
    (row,) = (await ask("GET", "/v1/receipts", "since=1&wait=3")).json()["errors"]
    assert (row["code"], row["parameter"]) == ("unknown-parameter", "wait")
    assert row["detail"] == "Known here: agency, limit, since, wait_s."
    assert (await ask("GET", "/docs", "x=1")).json()["errors"][0]["detail"] == "This route has no parameters."
    assert (await ask("GET", "/schemas/entry.json", "=")).status_code == 400


async def test_of_unknown_names_the_first_are_listed_cut_and_without_personal_data() -> None:
    answer = await ask("GET", "/v1/receipts", f"1064971268=1&{'x' * 500}=2")
    assert [row["parameter"] for row in answer.json()["errors"]] == ["(personal data)", "x" * 64]
    assert "1064971268" not in answer.text
    many = await ask("GET", "/v1/receipts", "&".join(f"x{number}" for number in range(2_000)))
    assert len(many.json()["errors"]) == 20


@every(
    ("path", "query", "detail"),
    [
        (
            "/v1/receipts",
            "limt=5",
            "المعروف هنا: \u2067\u2068agency\u2069، \u2068limit\u2069، \u2068since\u2069، \u2068wait_s\u2069\u2069.",
        ),
        ("/v1/key", "x=1", "لا معاملات لهذا المسار."),
        ("/v1/receipts", "since=-1", "اكتب عددًا لا يقل عن 0."),
        ("/v1/receipts", "limit=1001", "اكتب عددًا لا يزيد على 1000."),
        ("/v1/receipts", "limit=x", "اكتب عددًا صحيحًا."),
        ("/v1/receipts", "wait_s=x", "اكتب عددًا."),
        ("/v1/inbox", "everyone=x", "اكتب true أو false."),
        ("/v1/completeness", "month=2026", "اكتب قيمة من الصيغة \u2068^[0-9]{4}-(0[1-9]|1[0-2])$\u2069."),
        ("/v1/services", "group=9", "اكتب عددًا لا يزيد على 3."),
        (
            *("/v1/services", "state=x"),
            "اكتب واحدة من القيم: "
            "\u2067\u2068registered\u2069، \u2068live\u2069، \u2068suspended\u2069، \u2068retired\u2069\u2069.",
        ),
        ("/calendars/due.ics", "", "هذا المعامل مطلوب."),
        (f"/v1/explain/{'x' * 65}/k", "", "عدد الأحرف 64 على الأكثر."),
    ],
)
async def test_what_is_wrong_with_a_parameter_is_in_the_readers_language(path: str, query: str, detail: str) -> None:
    answer = await ask("GET", path, query, "ar")
    assert answer.headers["content-language"] == "ar"
    assert [row["detail"] for row in answer.json()["errors"]] == [detail]
    english = await ask("GET", path, query)
    (row,) = english.json()["errors"]
    assert row["detail"].isascii()
