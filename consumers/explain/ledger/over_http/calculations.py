"""Calculations from the entries of a partnership, away from the event loop.

A partnership with few entries is calculated in a thread, one at a time; one with many in a process of the pool
(`consumers.api.calculations`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from consumers.api.access import money_scope
from consumers.api.beside import Work
from consumers.api.reader import Answer, Reader
from consumers.api.reading import found
from consumers.explain.database import TooManyEntries, few_entries_in, first_entry_in
from consumers.explain.figures import Scope
from consumers.explain.ledger.what_if import NothingSigned
from consumers.explain.over_http.answers import Check, problems
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.http.problems import Problem

ENTRIES_HERE_MAX: Final = 500
"""Entries of a partnership that are folded in this process: some tenths of a second."""

T = TypeVar("T")
Raw = tuple[int, bytes]
Calculation = Callable[[], T]
"""Makes a document; needs no connection: it runs in a thread."""
Prepare = Callable[[View, list[Raw]], Awaitable[Calculation[T]]]
"""Reads what a calculation needs beside the entries."""


async def calculated_for(
    reader: Reader,
    partnership_id: str,
    prepare: Prepare[T],
    beside: Work[T],
    *asked: object,
    check: Check | None = None,
    question: tuple[str, ...] | None = None,
) -> Answer[T]:
    """What is calculated from the entries of a partnership in scope.

    Raises `Problem`: 404, 429, 500 for a changed entry, 503, and those of `check`, which comes first.

    `beside` makes the same document of any number of entries, of the partnership's id and `asked`.
    `question`: what is asked, where the answer follows from it and the entries alone; then it is remembered.
    """
    scope, calculations = money_scope(reader.caller), reader.reads.calculations

    async def prepared(view: View) -> tuple[Calculation[T], int] | None:
        found(await read.partnership(await view.use(REVENUE), partnership_id, scope))
        with _problems():
            if check is not None:
                await check(view)
            entries = await few_entries(view, partnership_id)
        return None if entries is None else (await prepare(view, entries), len(entries))

    few = await reader.read([REVENUE, EVENT_INDEX], prepared)
    if few.document is None:
        document = await calculations.beside(reader.caller.quota_name, beside, partnership_id, *asked)
    else:
        calculation, count = few.document
        with _problems():
            key = None if question is None else (partnership_id, str(count), *question)
            document = await calculations.here(calculation, key)
    return Answer(document, few.state)


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
