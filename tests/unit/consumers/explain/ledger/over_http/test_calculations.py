"""What is refused is refused however many entries a partnership has: no process is asked for it."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest

from consumers.api.calculation_pool import Calculations
from consumers.api.reader import ReadAnswer, Reader, State
from consumers.explain.ledger.over_http import routes as over_http
from consumers.explain.ledger.over_http.routes import calculated_for
from consumers.explain.ledger.what_if import NothingSigned
from consumers.explain.models import NoSuchKey
from consumers.replay.as_of.view import View
from consumers.revenue import read
from infra.http.callers import Caller
from infra.http.problems import Problem, changed_entry
from infra.log.reader import ChangedEntry
from infra.settings import Settings
from tests.every import every


class Auditor:
    """Asks about a partnership that is there. It is the view, and what is shared by requests, itself."""

    caller = Caller("t", "auditor", "court", frozenset({"log:read"}), None)

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads = self
        self.calculations = Calculations(Settings())
        self.process = AsyncMock(return_value={})
        self.patch = monkeypatch
        monkeypatch.setattr(self.calculations, "beside", self.process)
        monkeypatch.setattr(read, "partnership", AsyncMock(return_value={}))

    async def use(self, _: object) -> Auditor:
        return self

    async def read(self, _: object, question: Any) -> ReadAnswer[Any]:
        return ReadAnswer(await question(cast(View, self)), State([1]))

    async def asks(self, entries: Any, calculation: Any = None, check: Any = None) -> Any:
        """The answer where these entries are read, `None` where they are many, or it is an error to read them."""
        self.patch.setattr(over_http, "few_entries", AsyncMock(side_effect=[entries]))
        calculate = Mock(side_effect=calculation, return_value={})
        return (await calculated_for(cast(Reader, self), "P1", calculate, check=check)).document


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
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, errors: list[Any], is_read: bool
) -> None:
    auditor = Auditor(monkeypatch)
    with pytest.raises(Problem) as refused:
        await (auditor.asks(error) if is_read else auditor.asks([], error))
    assert (refused.value.status, list(refused.value.errors)) == (status, errors)


@every("entries", [None, []])
async def test_what_is_refused_costs_no_process(monkeypatch: pytest.MonkeyPatch, entries: list[Any] | None) -> None:
    auditor = Auditor(monkeypatch)
    with pytest.raises(Problem) as refused:
        await auditor.asks(entries, check=AsyncMock(side_effect=Problem("not-found")))
    assert (refused.value.status, auditor.process.call_count) == (404, 0)
    assert await auditor.asks(entries) == {}
    assert auditor.process.call_count == (entries is None)
