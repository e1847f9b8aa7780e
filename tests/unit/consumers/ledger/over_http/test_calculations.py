"""What is refused is refused however many entries a partnership has: no process is asked for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest

from consumers.as_of.view import View
from consumers.explain.models import NoSuchKey
from consumers.ledger.over_http import calculations as over_http
from consumers.ledger.over_http.beside import forecast_of
from consumers.ledger.over_http.calculations import Calculation, Raw, calculated_for
from consumers.ledger.what_if import NothingSigned
from consumers.read_api.beside import changed_entry
from consumers.read_api.calculations import Calculations
from consumers.read_api.reader import Answer, Reader, State
from consumers.revenue import read
from infra.http.callers import Caller
from infra.http.problems import Problem
from infra.log.reader import ChangedEntry
from infra.settings import Settings
from tests.every import every


class Ledger:
    async def use(self, _: object) -> Ledger:
        return self


class Processes(Calculations):
    """It counts what a process is asked for."""

    asked = 0

    async def beside(self, holder: str, work: object, *arguments: object) -> Any:
        self.asked += 1
        return {}


@dataclass
class Asked:
    """An auditor who asks about a partnership that is there. It has what is shared by requests itself."""

    calculations: Calculations
    caller = Caller("t", "auditor", "court", frozenset({"log:read"}), None)

    @property
    def reads(self) -> Asked:
        return self

    async def read(self, _: object, question: Any) -> Answer[Any]:
        return Answer(await question(cast(View, Ledger())), State([1]))


@pytest.fixture
def calculate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[Answer[Any]]]:
    """The answer about a partnership with these entries: `None` where there are many, or the error of reading them."""

    async def partnership(*_: object) -> dict[str, Any]:
        return {}

    async def answer(
        entries: list[Raw] | Exception | None,
        calculated: Exception | None = None,
        calculations: Processes | None = None,
        **options: Any,
    ) -> Answer[Any]:
        async def few_entries(*_: object) -> list[Raw] | None:
            if isinstance(entries, Exception):
                raise entries
            return entries

        async def prepare(_: View, __: list[Raw]) -> Calculation[dict[str, Any]]:
            def calculation() -> dict[str, Any]:
                if calculated is not None:
                    raise calculated
                return {}

            return calculation

        monkeypatch.setattr(read, "partnership", partnership)
        monkeypatch.setattr(over_http, "few_entries", few_entries)
        reader = cast(Reader, Asked(calculations or Processes(Settings())))
        return await calculated_for(reader, "P1", prepare, forecast_of, **options)

    return answer


@every("is_read", [True, False])
@every(
    ("error", "status", "errors"),
    [
        (NoSuchKey(), 404, []),
        (NothingSigned(), 404, []),
        (ChangedEntry(7, "r"), 500, list(changed_entry(7).errors)),
    ],
)
async def test_an_error_of_the_entries_is_a_problem(
    calculate: Callable[..., Awaitable[Answer[Any]]], error: Exception, status: int, errors: list[Any], is_read: bool
) -> None:
    with pytest.raises(Problem) as refused:
        await (calculate(error) if is_read else calculate([], error))
    assert (refused.value.status, list(refused.value.errors)) == (status, errors)


@every("entries", [None, []])
async def test_what_is_refused_costs_no_process(
    calculate: Callable[..., Awaitable[Answer[Any]]], entries: list[Raw] | None
) -> None:
    async def check(_: View) -> None:
        raise Problem("not-found")

    processes = Processes(Settings())
    with pytest.raises(Problem) as refused:
        await calculate(entries, calculations=processes, check=check)
    assert (refused.value.status, processes.asked) == (404, 0)
    assert (await calculate(entries)).document == {}
