"""A source of explanations whose entries and live figures are read before, so that no connection waits for a fold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.documents.log.explanations import Figures
from consumers.explain.explain import Request, chosen_figures, model_of
from consumers.explain.figures import Figure, Part, Scope
from consumers.explain.plan_model import SHOWN_PLAN, shown_plan_id
from consumers.explain.sources import Raw, Reach, Source
from events.wire.entry import parse_entry


@dataclass(frozen=True, slots=True)
class KnownSource(Source):
    """`figures`: those of the live tables, None where the entries were not applied to all of them alike."""

    known_reach: Reach
    known_entries: Mapping[Scope, Sequence[Raw]]
    figures: Mapping[str, Any] | None

    @property
    def extent(self) -> tuple[tuple[Scope, int], ...]:
        """The same for the same entries: the log only grows."""
        return tuple((scope, entries[-1][0] if entries else -1) for scope, entries in self.known_entries.items())

    async def reach(self, parts: Iterable[Part]) -> Reach:
        return self.known_reach

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        for raw in self.known_entries[scope]:
            yield raw

    async def live(self, figures: Mapping[str, Figure]) -> Figures | None:
        return None if self.figures is None else dict(self.figures)


async def known_source(
    source: Source, request: Request, entries_of: Callable[[Scope], Awaitable[Sequence[Raw]]]
) -> KnownSource:
    """What explaining these figures needs. Raises `WrongName`, and what `source` and `entries_of` raise."""
    entries: dict[Scope, Sequence[Raw]] = {}
    plan_id = None
    if model_of(request).needs_plan:
        await source.reach(SHOWN_PLAN.parts)
        entries[SHOWN_PLAN.scope] = await entries_of(SHOWN_PLAN.scope)
        plan_id = shown_plan_id(parse_entry(*raw) for raw in entries[SHOWN_PLAN.scope])
    chosen = chosen_figures(request, plan_id)
    reach = await source.reach(chosen.parts)
    entries[chosen.scope] = await entries_of(chosen.scope)
    return KnownSource(reach, entries, await source.live(chosen.figures))
