"""What this gateway took lately: the answer to "where is my event?" until the registrar has read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

REMEMBERED_MAX: Final = 100_000


class Recent:
    """The offset of the last record of each (agency, id): of the newest `remembered_max`, at least of half as many.

    Ids gather in one generation while the one before is still asked; both are forgotten whole, which costs nothing for
    an event.
    """

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._generation_max = max(1, remembered_max // 2)
        self._newest: dict[str, dict[str, int]] = {}
        self._before: dict[str, dict[str, int]] = {}
        self._count = 0

    def add(self, agency: str, ids: Sequence[str], offsets: Sequence[int]) -> None:
        """Remember these; the oldest are forgotten."""
        self._newest.setdefault(agency, {}).update(zip(ids, offsets, strict=True))
        self._count += len(ids)
        if self._count >= self._generation_max:
            self._before, self._newest, self._count = self._newest, {}, 0

    def offset_of(self, agency: str, id_: str) -> int | None:
        """Where the agency's event stands in its topic, if this gateway took it lately."""
        for generation in (self._newest, self._before):
            offset = generation.get(agency, {}).get(id_)
            if offset is not None:
                return offset
        return None
