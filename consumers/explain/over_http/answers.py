"""Explains a figure for a request: in a thread where few entries can have changed it, else by a process beside.

What the thread folds is read before, in the request's own snapshot. A figure of a million certificates takes minutes
and would delay every other request: a process of the pool explains it (`consumers.api.beside`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from consumers.api.reader import Reader
from consumers.documents.log.explanations import Explanation
from consumers.explain.database import DatabaseSource, TooManyEntries, database_source
from consumers.explain.explain import Request, explain, explanation_of, trace_of
from consumers.explain.models import Model, NoSuchKey, WrongName
from consumers.explain.over_http.known_source import KnownSource, known_source
from consumers.explain.trace import Trace
from consumers.replay.as_of.view import NoSuchIndex, View
from infra.http.problems import Problem, changed_entry
from infra.log.reader import ChangedEntry
from infra.settings import Settings

ENTRIES_HERE_MAX: Final = 2_000
"""Entries that are folded in this process: a process of its own needs longer to start than they take."""
REMEMBERED_STEPS_MAX: Final = 100
"""Steps of a trace that is remembered: some hundred kilobytes."""
_NO_FIGURE: Final = (NoSuchKey, NoSuchIndex, WrongName)


async def known_of(view: View, request: Request, end: int | None) -> KnownSource | None:
    """What explaining the figure after the first `end` entries needs; None where too many can have changed it.

    The view has all tables. Raises `Problem`: 404 where there is no such figure, 500 for a changed entry.
    """
    source = DatabaseSource(view, end)
    with problems():
        try:
            return await known_source(source, request, partial(source.few_entries, entries_max=ENTRIES_HERE_MAX))
        except TooManyEntries:
            return None


async def explanation_from(reader: Reader, request: Request, known: KnownSource | None, end: int | None) -> Explanation:
    """What `yesser audit explain` says, of what was read.

    Raises `Problem`: 404 where there is no such figure, 500 for a changed entry, 503 and 429 where too many are being
    explained.
    """
    calculations = reader.reads.explanations
    if known is None:
        found = await calculations.beside(reader.caller.quota_name, _explained, request, end)
        if found is None:
            raise Problem("not-found")
        return found
    # What the entries made of the figures. The tables' figures are never remembered: they may be changed.
    key = (request, known.extent) if request.steps_max <= REMEMBERED_STEPS_MAX else None
    with problems():
        trace = await calculations.here(partial(_traced, known, request), key)
    return explanation_of(request, known.known_reach, trace, known.figures)


@contextmanager
def problems() -> Iterator[None]:
    """Raises the `Problem` of an error: 404 where there is no such figure, 500 for a changed entry."""
    try:
        yield
    except _NO_FIGURE:
        raise Problem("not-found") from None
    except ChangedEntry as error:
        raise changed_entry(error.index) from error


def split_figure(model: Model, path: str) -> tuple[str, str | None]:
    """Key and field of `KEY/FIELD` or `KEY`: the last part is a field where the key before it has such a figure."""
    head, _, last = path.rpartition("/")
    key = model.parse(head) if head else None
    if key is None:
        return path, None
    figures = (model.explained(key, None) if model.needs_plan else model.explained(key)).figures
    return (head, last) if last in figures else (path, None)


def _traced(known: KnownSource, request: Request) -> Trace:
    return asyncio.run(trace_of(known, request))[2]


async def _explained(settings: Settings, request: Request, end: int | None) -> Explanation | None:
    """None where there is no such figure."""
    try:
        async with database_source(settings, end) as source:
            return await explain(source, request)
    except _NO_FIGURE:
        return None
