"""Where the entries come from: the database with its index of events, a log elsewhere, an export, or what was read.

Each source gives the entries of a scope in log order. Only the database also has the figures as the live tables hold
them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import Any, Protocol

from consumers.documents.log.explanations import Figures
from consumers.explain.figures import KeyFigures, Part, Scope
from consumers.explain.models import WrongName
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import selected_entries
from consumers.proof.audit.source import Export
from consumers.replay.as_of.point_in_time import occurred_on
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import parse_entry, recorded_time
from infra.log.ports.tree import Progress

Raw = tuple[int, bytes]


class NotByOccurrence(WrongName):
    """The ledger has no state by an occurred date, since its periods close in log order: use --as-of-recorded."""


@dataclass(frozen=True, slots=True)
class Reach:
    """`log_index`: the number of entries of the log that are explained. `is_complete`: whether the source has all of
    them; of an export only the chosen ones are known."""

    log_index: int
    is_complete: bool = True


class Source(Protocol):
    """A log to explain figures from. One without live tables has no figures to compare with, and no keys at hand."""

    async def reach(self, parts: Iterable[Part]) -> Reach:
        """How far figures of these parts are explained."""

    def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        """The entries of the scope, within reach."""

    async def all_entries(self, scope: Scope) -> list[Raw]:
        """The same, of a scope that has few."""
        return [raw async for raw in self.entries(scope)]

    async def live(self, chosen: KeyFigures) -> Figures | None:
        """The figures as live tables hold them at the end of the reach."""
        return None

    async def keys(self, part: Part) -> list[tuple[Any, ...]]:
        """Some keys of the table of a part, to suggest one."""
        return []


class OutsideSource(Source):
    """A log at an address or in a folder. Every entry is proven before it is folded."""

    def __init__(self, log: AuthenticatedLog, end: int, progress: Progress) -> None:
        self._log = log
        self._end = end
        self._progress = progress

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return Reach(self._end)

    def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        return selected_entries(self._log, 0, self._end, scope.has, self._progress)


class ExportSource(Source):
    """An export, up to `end` entries of its log, and of these those recorded by an instant."""

    def __init__(self, export: Export, end: int, recorded: datetime | None = None) -> None:
        self._export = export
        self._end = end
        if recorded is not None:
            entries = starmap(parse_entry, export.entries())
            self._end = next((entry.index for entry in entries if entry.recorded > recorded_time(recorded)), end)

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return Reach(self._end, is_complete=False)

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        for index, raw in self._export.entries():
            if index < self._end and scope.has(parse_entry(index, raw)):
                yield index, raw


@dataclass(frozen=True, slots=True)
class OccurredSource(Source):
    """Of another source the entries that had occurred by a date (`YYYY-MM-DD`). No table has these figures."""

    source: Source
    date: str

    async def reach(self, parts: Iterable[Part]) -> Reach:
        """Raises `NotByOccurrence`, and what the source raises."""
        own = list(parts)
        if any(part.consumer.name == REVENUE.name for part in own):
            raise NotByOccurrence(NotByOccurrence.__doc__)
        return await self.source.reach(own)

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        async for index, raw in self.source.entries(scope):
            if occurred_on(parse_entry(index, raw)) <= self.date:
                yield index, raw

    async def keys(self, part: Part) -> list[tuple[Any, ...]]:
        return await self.source.keys(part)


@dataclass(frozen=True, slots=True)
class KnownSource(Source):
    """Entries and live figures that were read before, so that no connection waits for a fold.

    `figures`: those of the live tables, None where the entries were not applied to all of them alike.
    """

    known_reach: Reach
    known_entries: Mapping[Scope, Sequence[Raw]]
    figures: Figures | None

    @property
    def extent(self) -> tuple[tuple[Scope, int], ...]:
        """The same for the same entries: the log only grows."""
        return tuple((scope, entries[-1][0] if entries else -1) for scope, entries in self.known_entries.items())

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return self.known_reach

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        for raw in self.known_entries[scope]:
            yield raw

    async def live(self, chosen: KeyFigures) -> Figures | None:
        return self.figures
