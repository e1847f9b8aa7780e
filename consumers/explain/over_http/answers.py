"""Explains a figure for a request: in a thread where few entries can have changed it, else by a process beside.

What the thread folds is read before, in the request's own snapshot. A figure of a million certificates takes minutes
and would delay every other request: a process of the pool explains it (`consumers.api.calculation_pool`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from consumers.api.access import money_scope
from consumers.api.reader import ReadAnswer, Reader
from consumers.explain.database import DatabaseSource, TooManyEntries, database_source
from consumers.explain.explain import Explained, Request, Traced, explain, explained, known_source, traced
from consumers.explain.models import Model, NoSuchKey, WrongName
from consumers.explain.over_http.access import may_explain, partnership_of, readable
from consumers.explain.shown_models import models
from consumers.explain.sources import KnownSource
from consumers.models.registry import CONSUMERS
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import NoSuchIndex, View
from consumers.replay.fold.consumer import Consumer
from infra.http.problems import Problem, changed_entry
from infra.log.reader import ChangedEntry
from infra.settings import Settings

ENTRIES_HERE_MAX: Final = 2_000
"""Entries that are folded in this process: a process of its own needs longer to start than they take."""
REMEMBERED_STEPS_MAX: Final = 100
"""Steps of a trace that is remembered: some hundred kilobytes."""
ALL: Final = tuple(CONSUMERS.values())
Check = Callable[[View], Awaitable[None]]
"""Whether there is an answer, however many entries there are. Raises `Problem`."""
_NO_FIGURE: Final = (NoSuchKey, NoSuchIndex, WrongName)


async def explained_for(
    reader: Reader,
    model: str,
    key: str,
    limit: int,
    as_of_index: int | None = None,
    *,
    derives: bool = False,
    consumers: Sequence[Consumer] = ALL,
    check: Check | None = None,
) -> ReadAnswer[Explained]:
    """The last `limit` entries that changed a figure in scope; `key`: KEY or KEY/FIELD.

    Raises `Problem`: 403, 404 where there is no such figure, 500 for a changed entry, 503 and 429 where too many are
    being explained, and those of `check`, which comes before any calculation.
    """
    scope, named_model = money_scope(reader.caller), models().get(model)
    if named_model is None or "\0" in key:
        raise Problem("not-found")
    name, field = split_figure(named_model, key)
    if named_model.parse(name) is None:
        raise Problem("not-found")
    request = Request(model, name, field, limit, derives and field is not None)

    async def question(view: View) -> KnownSource | None:
        if not await may_explain(view, scope, model, name):
            raise Problem("not-found")
        if check is not None:
            await check(view)
        return await _known(view, request, as_of_index)

    known = await reader.read(consumers, question)
    answer = await _explained(reader, request, known.document, as_of_index)
    document = readable(answer.document, scope, is_money=partnership_of(model, name) is not None)
    return ReadAnswer(replace(answer, document=document), known.state)


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
    return (head, last) if key is not None and last in model.figures(key, None).figures else (path, None)


async def _known(view: View, request: Request, end: int | None) -> KnownSource | None:
    """What explaining the figure after the first `end` entries needs; None where too many can have changed it."""
    source = DatabaseSource(view, end)
    with problems():
        try:
            return await known_source(source, request, partial(source.few_entries, entries_max=ENTRIES_HERE_MAX))
        except TooManyEntries:
            return None


async def _explained(reader: Reader, request: Request, known: KnownSource | None, end: int | None) -> Explained:
    calculations = reader.reads.explanations
    if known is None:
        answer = await calculations.beside(reader.caller.quota_name, _beside, request, end)
        if answer is None:
            raise Problem("not-found")
        return answer
    # What the entries made of the figures. The tables' figures are never remembered: they may be changed.
    key = (request, known.extent) if request.steps_max <= REMEMBERED_STEPS_MAX else None
    with problems():
        made = await calculations.here(partial(_here, known, request), key)
    return explained(request, made, known.figures)


def _here(known: KnownSource, request: Request) -> Traced:
    return asyncio.run(traced(known, request))


async def _beside(settings: Settings, request: Request, end: int | None) -> Explained | None:
    """None where there is no such figure."""
    try:
        async with database_source(settings, PointInTime(end)) as source:
            return await explain(source, request)
    except _NO_FIGURE:
        return None
