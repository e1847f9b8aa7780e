"""What is refused is refused however many entries a partnership has: no command is asked for it."""

from __future__ import annotations

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


@pytest.fixture(params=[None, []], ids=["many", "few"])
def entries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    async def partnership(*_: object) -> dict[str, Any]:
        return {}

    async def few_entries(*_: object) -> list[Raw] | None:
        found: list[Raw] | None = request.param
        return found

    monkeypatch.setattr(read, "partnership", partnership)
    monkeypatch.setattr(calculations, "few_entries", few_entries)


@pytest.mark.parametrize(
    ("error", "status", "errors"),
    [
        (NoSuchKey(), 404, []),
        (NothingSigned(), 404, []),
        (ChangedEntry(7, "r"), 500, [{"code": "changed-entry", "detail": str(ChangedEntry(7, "r")), "id": "7"}]),
    ],
    ids=["no-such-key", "nothing-signed", "changed-entry"],
)
@pytest.mark.parametrize("is_read", [True, False], ids=["read", "calculated"])
async def test_an_error_of_the_entries_is_a_problem(
    error: Exception, status: int, errors: list[Any], is_read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def raises(*_: object) -> list[Raw]:
        if is_read:
            raise error
        return []

    async def partnership(*_: object) -> dict[str, Any]:
        return {}

    async def prepare(_: View, __: list[Raw]) -> Calculation:
        def calculated() -> dict[str, Any]:
            raise error

        return calculated

    async def beside() -> bytes:
        return b"{}"

    monkeypatch.setattr(read, "partnership", partnership)
    monkeypatch.setattr(calculations, "few_entries", raises)
    with pytest.raises(Problem) as refused:
        await Calculations(Settings()).answer(cast(ReadRequest, Asked()), "P1", prepare, beside)
    assert (refused.value.status, list(refused.value.errors)) == (status, errors)


@pytest.mark.usefixtures("entries")
async def test_what_is_refused_costs_no_command() -> None:
    commands: list[str] = []

    async def check(_: View) -> None:
        raise Problem("not-found")

    async def prepare(_: View, __: list[Raw]) -> Calculation:
        return dict

    async def beside() -> bytes:
        commands.append("run")
        return b"{}"

    asked = cast(ReadRequest, Asked())
    known = Calculations(Settings())
    with pytest.raises(Problem) as refused:
        await known.answer(asked, "P1", prepare, beside, check=check)
    assert refused.value.status == 404
    assert commands == []
    assert (await known.answer(asked, "P1", prepare, beside)).body == b"{}"
