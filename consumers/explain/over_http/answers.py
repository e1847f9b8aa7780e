"""Explains a figure for a request: in a thread where few entries can have changed it, else by a process beside.

The thread has a connection and a snapshot of its own. A figure of a million certificates takes minutes and would delay
every other request; `yesser audit explain` then does it, at a low priority (`consumers.read_api.beside`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from consumers.as_of.view import NoSuchIndex
from consumers.explain.database import database_source
from consumers.explain.explain import Request, explain
from consumers.explain.figures import Figure, Part, Scope
from consumers.explain.models import Model, NoSuchKey, WrongName
from consumers.explain.show import answer_document
from consumers.explain.sources import Raw, Reach, Source
from consumers.read_api.beside import Slots, finished
from events.errors import YesserError
from infra.command_line.exit_codes import ExitCode
from infra.http.problems import Problem
from infra.log.reader import ChangedEntry
from infra.settings import Settings

QUICK_ENTRIES_MAX: Final = 1_000
QUICK_AT_ONCE_MAX: Final = 2
CHANGED_ENTRY: Final = "changed-entry"
"""The code of the error in a problem: an entry that the figure is made of was changed after it was registered."""
_INDEX: Final = re.compile(r"entry ([0-9]+) of the log was changed")


class _TooManyEntries(YesserError):
    """More entries can have changed the figure than a thread explains."""


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A source that gives up after `entries_max` entries."""

    source: Source
    entries_max: int

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return await self.source.reach(parts)

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        count = 0
        async for raw in self.source.entries(scope):
            count += 1
            if count > self.entries_max:
                raise _TooManyEntries
            yield raw

    async def live(self, figures: Mapping[str, Figure]) -> dict[str, Any] | None:
        return await self.source.live(figures)

    async def keys(self, part: Part) -> list[tuple[Any, ...]]:
        return []


class Explanations:
    """Explains figures for all requests of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = Slots()
        self._quick = asyncio.Semaphore(QUICK_AT_ONCE_MAX)

    async def document(self, request: Request, end: int | None, holder: str) -> dict[str, Any]:
        """The document of `yesser audit explain`, of the first `end` entries of the log.

        Raises `Problem`: 404 where there is no such figure, 500 for a changed entry, 503 and 429 where too many are
        being explained.
        """
        try:
            async with self._quick:
                return await asyncio.to_thread(_quickly, self._settings, request, end)
        except _TooManyEntries:
            with self._slots.using(holder):
                return await _beside(self._settings, request, end)
        except (NoSuchKey, NoSuchIndex, WrongName):
            raise Problem("not-found") from None
        except ChangedEntry as error:
            raise _changed(str(error), error.index) from error


def split_figure(model: Model, path: str) -> tuple[str, str | None]:
    """Key and field of `KEY/FIELD` or `KEY`: the last part is a field where the key before it has such a figure."""
    head, _, last = path.rpartition("/")
    key = model.parse(head) if head else None
    if key is None:
        return path, None
    figures = (model.explained(key, None) if model.needs_plan else model.explained(key)).figures
    return (head, last) if last in figures else (path, None)


def _quickly(settings: Settings, request: Request, end: int | None) -> dict[str, Any]:
    async def answer() -> dict[str, Any]:
        async with database_source(settings, end) as source:
            return answer_document(await explain(_Bounded(source, QUICK_ENTRIES_MAX), request))

    return asyncio.run(answer())


async def _beside(settings: Settings, request: Request, end: int | None) -> dict[str, Any]:
    command = ["audit", "explain", "--json", "--steps", str(request.steps_max)]
    if end is not None:
        command += ["--as-of-index", str(end)]
    words = [request.model, request.key, *([] if request.field is None else [request.field])]
    done = await finished(settings, *command, "--", *words)
    if done.exit_code in (ExitCode.OK, ExitCode.ANSWER_IS_NO):
        if not done.output:
            raise Problem("not-found")
        document: dict[str, Any] = orjson.loads(done.output)
        return document
    if done.exit_code == ExitCode.TAMPERED:
        found = _INDEX.search(done.errors)
        raise _changed(done.errors.strip(), int(found[1]) if found else None)
    raise done.problem()


def _changed(reason: str, index: int | None) -> Problem:
    row = {"code": CHANGED_ENTRY, "detail": reason, **({} if index is None else {"id": str(index)})}
    return Problem("gateway-fault", errors=[row])
