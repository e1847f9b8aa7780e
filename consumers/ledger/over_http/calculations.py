"""Calculations that a request asks for, away from the event loop.

A partnership with few entries is calculated in a thread, one at a time; one with many in a process of the pool
(`consumers.read_api.beside`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from fastapi import Response

from consumers.as_of.view import View
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.explain.database import TooManyEntries, few_entries_in, first_entry_in
from consumers.explain.figures import Scope
from consumers.explain.over_http.answers import problems
from consumers.ledger.what_if import NothingSigned
from consumers.read_api.access import money_scope
from consumers.read_api.beside import Slots, Work, calculated
from consumers.read_api.reading import JSON, ReadRequest, Shown, found
from consumers.read_api.remembered import Remembered
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.http.problems import Problem
from infra.json_documents import to_json
from infra.settings import Settings

ENTRIES_HERE_MAX: Final = 500
"""Entries of a partnership that are folded in this process: some tenths of a second."""
REMEMBERED_MAX: Final = 64
_HEADERS: Final = ("ETag", "Log-Index", "Cache-Control", "Vary")

T = TypeVar("T")
Raw = tuple[int, bytes]
Calculation = Callable[[], Any]
"""Makes a document; needs no connection: it runs in a thread."""
Check = Callable[[View], Awaitable[None]]
"""Whether there is an answer, however many entries there are. Raises `Problem`."""
Prepare = Callable[[View, list[Raw]], Awaitable[Calculation]]
"""Reads what a calculation needs beside the entries."""
Beside = Callable[[], Awaitable[Any]]
"""Makes the same document of any number of entries."""


class Calculations:
    """The calculations of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = Slots()
        self._here = asyncio.Lock()
        self._known: Remembered[Any] = Remembered(REMEMBERED_MAX)

    async def answer(
        self,
        request: ReadRequest,
        partnership_id: str,
        prepare: Prepare,
        beside: Beside,
        *,
        check: Check | None = None,
        question: tuple[str, ...] | None = None,
    ) -> Response:
        """What is calculated from the entries of a partnership in scope.

        Raises `Problem`: 404, 429, 500 for a changed entry, 503, and those of `check`, which comes first.

        `question`: what is asked, where the answer follows from it and the entries alone; then it is remembered.
        """
        caller = await request.caller()
        scope = money_scope(caller)
        calculation: Calculation | None = None
        key: tuple[str, ...] | None = None

        async def shown(view: View) -> Shown:
            nonlocal calculation, key
            found(await read.partnership(await view.use(REVENUE), partnership_id, scope))
            with _problems():
                if check is not None:
                    await check(view)
                entries = await few_entries(view, partnership_id)
            if entries is not None:
                calculation = await prepare(view, entries)
                if question is not None:
                    key = partnership_id, str(len(entries)), *question
            return Shown(None)

        answer = await request.answer([REVENUE, EVENT_INDEX], shown)
        if answer.status_code != 200:
            return answer
        if calculation is None:
            with self._slots.using(caller.quota_name):
                document = await beside()
        else:
            with _problems():
                document = await self._calculated(calculation, key)
        headers = {name: answer.headers[name] for name in _HEADERS}
        return Response(to_json(document), headers=headers, media_type=JSON)

    async def _calculated(self, calculation: Calculation, key: tuple[str, ...] | None) -> Any:
        async with self._here:
            if key is None:
                return await asyncio.to_thread(calculation)
            document = self._known.get(key)
            if document is None:
                document = await asyncio.to_thread(calculation)
                self._known.add(key, document)
            return document

    async def beside(self, work: Work[T], *arguments: Any) -> T:
        """See `beside.calculated`."""
        return await calculated(self._settings, work, *arguments)


@contextmanager
def _problems() -> Iterator[None]:
    """As `problems`; and 404 for a partnership in the tables that no entry signs."""
    with problems():
        try:
            yield
        except NothingSigned:
            raise Problem("not-found") from None


async def few_entries(view: View, partnership_id: str) -> list[Raw] | None:
    """The entries of a partnership that the ledger has applied; None where they are more than `ENTRIES_HERE_MAX`, or
    the index of events is far behind."""
    scope = Scope(f"partnership/{partnership_id}")
    try:
        return await few_entries_in(view, view.positions[REVENUE.name], scope, ENTRIES_HERE_MAX)
    except TooManyEntries:
        return None


async def signing_entry(view: View, partnership_id: str) -> Raw | None:
    """The first of them that signs the partnership; None where the index of events is far behind."""
    scope = Scope(f"partnership/{partnership_id}", frozenset({"partnership.signed"}))
    return await first_entry_in(view, view.positions[REVENUE.name], scope)
