"""Explains a figure for a request: in a thread where few entries can have changed it, else by a process beside.

What the thread folds is read before, in the request's own snapshot. A figure of a million certificates takes minutes
and would delay every other request: `yesser audit explain` does it, at a low priority (`consumers.read_api.beside`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from consumers.as_of.view import NoSuchIndex, View
from consumers.documents.document import document_of
from consumers.documents.explanations import Explanation
from consumers.explain.database import DatabaseSource, TooManyEntries
from consumers.explain.explain import Request, explanation_of, trace_of
from consumers.explain.models import Model, NoSuchKey, WrongName
from consumers.explain.over_http.known_source import KnownSource, known_source
from consumers.explain.trace import Trace
from consumers.read_api.beside import Slots, changed_entry, finished
from consumers.read_api.remembered import Remembered
from infra.command_line.exit_codes import ExitCode
from infra.http.problems import Problem
from infra.json_documents import from_json
from infra.log.reader import ChangedEntry
from infra.settings import Settings

ENTRIES_HERE_MAX: Final = 2_000
"""Entries that are folded in this process: a process of its own needs longer to start than they take."""
REMEMBERED_MAX: Final = 64
REMEMBERED_STEPS_MAX: Final = 100
"""Steps of a trace that is remembered: some hundred kilobytes."""


class Explanations:
    """Explains figures for all requests of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = Slots()
        self._here = asyncio.Lock()
        self._known: Remembered[Trace] = Remembered(REMEMBERED_MAX)

    async def read(self, view: View, request: Request, end: int | None) -> KnownSource | None:
        """What explaining the figure after the first `end` entries needs; None where too many can have changed it.

        The view has all tables. Raises `Problem`: 404 where there is no such figure, 500 for a changed entry.
        """
        source = DatabaseSource(view, end)
        with problems():
            try:
                return await known_source(source, request, partial(source.few_entries, entries_max=ENTRIES_HERE_MAX))
            except TooManyEntries:
                return None

    async def document(self, request: Request, known: KnownSource | None, end: int | None, holder: str) -> Explanation:
        """The document of `yesser audit explain`, of what was read.

        Raises `Problem`: 404 where there is no such figure, 500 for a changed entry, 503 and 429 where too many are
        being explained.
        """
        if known is None:
            with self._slots.using(holder):
                return await _beside(self._settings, request, end)
        with problems():
            async with self._here:
                trace = await self._traced(known, request)
        return explanation_of(request, known.known_reach, trace, known.figures)

    async def _traced(self, known: KnownSource, request: Request) -> Trace:
        """What the entries made of the figures. The tables' figures are never remembered: they may be changed."""
        question = request, known.extent
        trace = self._known.get(question)
        if trace is None:
            trace = await asyncio.to_thread(_traced, known, request)
            if request.steps_max <= REMEMBERED_STEPS_MAX:
                self._known.add(question, trace)
        return trace


@contextmanager
def problems() -> Iterator[None]:
    """Raises the `Problem` of an error: 404 where there is no such figure, 500 for a changed entry."""
    try:
        yield
    except (NoSuchKey, NoSuchIndex, WrongName):
        raise Problem("not-found") from None
    except ChangedEntry as error:
        raise changed_entry(str(error), error.index) from error


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


async def _beside(settings: Settings, request: Request, end: int | None) -> Explanation:
    command = ["audit", "explain", "--json", "--steps", str(request.steps_max)]
    if end is not None:
        command += ["--as-of-index", str(end)]
    words = [request.model, request.key, *([] if request.field is None else [request.field])]
    done = await finished(settings, *command, "--", *words)
    if done.exit_code in (ExitCode.OK, ExitCode.ANSWER_IS_NO):
        if not done.output:
            raise Problem("not-found")
        return document_of(Explanation, from_json(done.output))
    raise done.problem()
