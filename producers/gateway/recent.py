"""What this gateway took lately: the answer to "where is my event?" until the registrar has read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

REMEMBERED_MAX: Final = 50_000


class Recent:
    """The offset of the last record of each (agency, id), for the newest `remembered_max` of them."""

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        self._offsets: dict[tuple[str, str], int] = {}

    def add(self, agency: str, ids: Sequence[str], offsets: Sequence[int]) -> None:
        """Remember these; the oldest are forgotten."""
        for id_, offset in zip(ids, offsets, strict=True):
            self._offsets.pop((agency, id_), None)
            self._offsets[agency, id_] = offset
        for key in list(self._offsets)[: max(0, len(self._offsets) - self._remembered_max)]:
            del self._offsets[key]

    def offset_of(self, agency: str, id_: str) -> int | None:
        """Where the agency's event stands in its topic, if this gateway took it lately."""
        return self._offsets.get((agency, id_))
