"""What is refused is refused however many entries a partnership has: no command is asked for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from fastapi import Response

from consumers.as_of.view import View
from consumers.explain.models import NoSuchKey
from consumers.ledger.over_http import calculations
from consumers.ledger.over_http.calculations import Calculation, Calculations, Raw
from consumers.ledger.what_if import NothingSigned
from consumers.read_api.reading import ReadRequest
from consumers.revenue import read
from infra.http.callers import Caller
from infra.http.problems import Problem
from infra.log.reader import ChangedEntry
from infra.settings import Settings
from tests.every import every


class Ledger:
    async def use(self, _: object) -> Ledger:
        return self


class Asked:
    """An auditor's request about a partnership that is there."""

    async def caller(self) -> Caller:
        return Caller("t", "auditor", "court", frozenset({"log:read"}), None)

    async def answer(self, _: object, shown: Any) -> Response:
        await shown(cast(View, Ledger()))
        return Response("", headers={"ETag": '"1"', "Log-Index": "1", "Cache-Control": "no-cache", "Vary": "Accept"})


@pytest.fixture
def calculate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[Response]]:
    """The answer about a partnership with these entries: `None` where there are many, or the error of reading them."""

    async def partnership(*_: object) -> dict[str, Any]:
        return {}

    async def answer(
        entries: list[Raw] | Exception | None,
        calculated: Exception | None = None,
        beside: Callable[[], Awaitable[bytes]] = nothing,
        **options: Any,
    ) -> Response:
        async def few_entries(*_: object) -> list[Raw] | None:
            if isinstance(entries, Exception):
                raise entries
            return entries

        async def prepare(_: View, __: list[Raw]) -> Calculation:
            def calculation() -> dict[str, Any]:
                if calculated is not None:
                    raise calculated
                return {}

            return calculation

        monkeypatch.setattr(read, "partnership", partnership)
        monkeypatch.setattr(calculations, "few_entries", few_entries)
        return await Calculations(Settings()).answer(cast(ReadRequest, Asked()), "P1", prepare, beside, **options)

    return answer


async def nothing() -> bytes:
    return b"{}"


@every("is_read", [True, False])
@every(
    ("error", "status", "errors"),
    [
        (NoSuchKey(), 404, []),
        (NothingSigned(), 404, []),
        (ChangedEntry(7, "r"), 500, [{"code": "changed-entry", "detail": str(ChangedEntry(7, "r")), "id": "7"}]),
    ],
)
async def test_an_error_of_the_entries_is_a_problem(
    calculate: Callable[..., Awaitable[Response]], error: Exception, status: int, errors: list[Any], is_read: bool
) -> None:
    with pytest.raises(Problem) as refused:
        await (calculate(error) if is_read else calculate([], error))
    assert (refused.value.status, list(refused.value.errors)) == (status, errors)


@every("entries", [None, []])
async def test_what_is_refused_costs_no_command(
    calculate: Callable[..., Awaitable[Response]], entries: list[Raw] | None
) -> None:
    async def check(_: View) -> None:
        raise Problem("not-found")

    async def command() -> bytes:
        raise AssertionError("a command runs")

    with pytest.raises(Problem) as refused:
        await calculate(entries, beside=command, check=check)
    assert refused.value.status == 404
    assert (await calculate(entries)).body == b"{}"
