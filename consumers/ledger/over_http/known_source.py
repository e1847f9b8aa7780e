"""A source of explanations whose entries and live figures are read before, so that no connection waits for a fold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.explain.explain import Request
from consumers.explain.figures import Figure, Part, Scope
from consumers.explain.models import Model
from consumers.explain.sources import Raw, Reach, Source


@dataclass(frozen=True, slots=True)
class KnownSource:
    """`figures`: those of the live tables, None where the entries were not applied to all of them alike."""

    known_reach: Reach
    known_entries: Sequence[Raw]
    figures: Mapping[str, Any] | None

    @classmethod
    async def read(cls, source: Source, model: Model, asked: Request, entries: Sequence[Raw]) -> KnownSource:
        """Read what explaining one figure needs; the key must be right."""
        key = model.parse(asked.key)
        assert key is not None
        assert asked.field is not None
        chosen = {asked.field: model.explained(key).figures[asked.field]}
        reach = await source.reach(part for figure in chosen.values() for part in figure.parts)
        return cls(reach, entries, await source.live(chosen))

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return self.known_reach

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        for raw in self.known_entries:
            yield raw

    async def live(self, figures: Mapping[str, Figure]) -> dict[str, Any] | None:
        return None if self.figures is None else dict(self.figures)

    async def keys(self, part: Part) -> list[tuple[Any, ...]]:
        return []
