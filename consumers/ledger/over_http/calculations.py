"""Calculations that a request asks for, away from the event loop.

A partnership with few entries is calculated in a thread, one at a time; one with many by the command of the same
answer, in a process of its own (`consumers.read_api.beside`), which ends if it takes too long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import Response

from consumers.as_of.view import View
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.event_index.read import Query, as_full_type, find
from consumers.read_api.access import money_scope
from consumers.read_api.beside import Slots, output_of
from consumers.read_api.reading import JSON, ReadRequest, Shown, found
from consumers.read_api.remembered import Remembered
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.json_documents import from_json, to_json
from infra.log.reader import read_chosen
from infra.settings import Settings

ENTRIES_HERE_MAX: Final = 500
"""Entries of a partnership that are folded in this process: some tenths of a second."""
REMEMBERED_MAX: Final = 64
_HEADERS: Final = ("ETag", "Log-Index", "Cache-Control", "Vary")

Raw = tuple[int, bytes]
Calculation = Callable[[], dict[str, Any]]
"""Needs no connection: it runs in a thread."""
Check = Callable[[View], Awaitable[None]]
"""Whether there is an answer, however many entries there are. Raises `Problem`."""
Prepare = Callable[[View, list[Raw]], Awaitable[Calculation]]
"""Reads what a calculation needs beside the entries."""
Command = Callable[[], Awaitable[bytes]]


class Calculations:
    """The calculations of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = Slots()
        self._here = asyncio.Lock()
        self._known: Remembered[dict[str, Any]] = Remembered(REMEMBERED_MAX)

    async def answer(
        self,
        request: ReadRequest,
        partnership_id: str,
        prepare: Prepare,
        command: Command,
        *,
        check: Check | None = None,
        question: tuple[str, ...] | None = None,
    ) -> Response:
        """What is calculated from the entries of a partnership in scope. Raises `Problem` (404, 429, 503, and those of
        `check`, which comes first: a command beside could not say what it refuses).

        `question`: what is asked, where the answer follows from it and the entries alone; then it is remembered.
        """
        caller = await request.caller()
        scope = money_scope(caller)
        calculation: Calculation | None = None
        key: tuple[str, ...] | None = None

        async def shown(view: View) -> Shown:
            nonlocal calculation, key
            found(await read.partnership(await view.use(REVENUE), partnership_id, scope))
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
                document = from_json(await command())
        else:
            document = await self._calculated(calculation, key)
        headers = {name: answer.headers[name] for name in _HEADERS}
        return Response(to_json(document), headers=headers, media_type=JSON)

    async def _calculated(self, calculation: Calculation, key: tuple[str, ...] | None) -> dict[str, Any]:
        async with self._here:
            if key is None:
                return await asyncio.to_thread(calculation)
            document = self._known.get(key)
            if document is None:
                document = await asyncio.to_thread(calculation)
                self._known.add(key, document)
            return document

    async def output_of(self, *command: str, answers_no: bool = False) -> bytes:
        """What a command prints as JSON, see `beside.output_of`."""
        return await output_of(self._settings, *command, "--json", answers_no=answers_no)


async def few_entries(view: View, partnership_id: str) -> list[Raw] | None:
    """The entries of a partnership that the view shows, or None if there are more than `ENTRIES_HERE_MAX`."""
    entries, is_all = await _first_entries(view, partnership_id, None, ENTRIES_HERE_MAX)
    return entries if is_all else None


async def signed_entries(view: View, partnership_id: str) -> list[Raw]:
    """The entry that first signs the partnership, if the view shows one."""
    entries, _ = await _first_entries(view, partnership_id, as_full_type("partnership.signed"), 1)
    return entries


async def _first_entries(view: View, partnership_id: str, kind: str | None, entries_max: int) -> tuple[list[Raw], bool]:
    """The first entries of a partnership, and whether that is all."""
    connection = await view.use(EVENT_INDEX)
    subject, position = f"partnership/{partnership_id}", view.positions[REVENUE.name]
    page = await find(connection, Query(subject, kind, rows_max=entries_max, below_index=position))
    indexes = [event["index"] for event in page.events]
    return list(zip(indexes, await read_chosen(connection, indexes), strict=True)), page.next_cursor is None
