"""Where the entries come from: the database with its index of events, a log elsewhere, or an export.

Each source gives the entries of a scope in log order. Only the database also has the figures as the live tables hold
them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from consumers.documents.log.explanations import Figures
from consumers.explain.figures import Figure, Part, Scope
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import selected_entries
from consumers.proof.audit.source import Export
from events.wire.entry import parse_entry
from infra.log.ports.tree import Progress

Raw = tuple[int, bytes]


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

    async def live(self, figures: Mapping[str, Figure]) -> Figures | None:
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
    """An export, up to `end` entries of its log."""

    def __init__(self, export: Export, end: int) -> None:
        self._export = export
        self._end = end

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return Reach(self._end, is_complete=False)

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        for index, raw in self._export.entries():
            if index < self._end and scope.has(parse_entry(index, raw)):
                yield index, raw
