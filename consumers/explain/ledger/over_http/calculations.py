"""Calculations from the entries of a partnership, away from the event loop.

A partnership with few entries is calculated in a thread, one at a time; one with many in a process of the pool
(`consumers.api.calculation_pool`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

from consumers.api.access import money_scope
from consumers.api.reader import ReadAnswer, Reader, found
from consumers.explain.database import TooManyEntries, few_entries_in, first_entry_in
from consumers.explain.figures import Scope
from consumers.explain.ledger.proving import entries_of
from consumers.explain.ledger.what_if import NothingSigned
from consumers.explain.over_http.answers import Check, problems
from consumers.replay.as_of.view import View
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.http.problems import Problem
from infra.settings import Settings

ENTRIES_HERE_MAX: Final = 500
"""Entries of a partnership that are folded in this process: some tenths of a second."""

T = TypeVar("T")
Raw = tuple[int, bytes]


async def calculated_for(
    reader: Reader,
    partnership_id: str,
    calculation: Callable[..., T],
    *asked: str,
    check: Check | None = None,
) -> ReadAnswer[T]:
    """What a function of a module makes of the entries of a partnership in scope, and of `asked`; it is remembered.

    Raises `Problem`: 404, 429, 500 for a changed entry, 503, and those of `check`, which comes first.
    """
    calculations = reader.reads.calculations

    async def question(view: View) -> list[Raw] | None:
        return await entries_in_scope(reader, view, partnership_id, check)

    few = await reader.read([REVENUE, EVENT_INDEX], question)
    if few.document is None:
        document = await calculations.beside(reader.caller.quota_name, _beside, calculation, partnership_id, *asked)
    else:
        key = calculation, partnership_id, len(few.document), *asked
        with _problems():
            document = await calculations.here(partial(calculation, few.document, *asked), key)
    return ReadAnswer(document, few.state)


async def entries_in_scope(
    reader: Reader, view: View, partnership_id: str, check: Check | None = None
) -> list[Raw] | None:
    """As `few_entries`, after `check`. Raises `Problem` (403, 404, 500 for a changed entry)."""
    found(await read.partnership(await view.use(REVENUE), partnership_id, money_scope(reader.caller)))
    with _problems():
        if check is not None:
            await check(view)
        return await few_entries(view, partnership_id)


async def _beside(settings: Settings, calculation: Callable[..., T], partnership_id: str, *asked: str) -> T:
    return calculation(await entries_of(settings, f"partnership/{partnership_id}"), *asked)


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
