"""What this gateway took lately: the answer to "where is my event?" until the registrar has read it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

REMEMBERED_MAX: Final = 50_000


class Recent:
    """The offset of the last record of each (agency, id), for the newest `remembered_max` of them."""

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        # A plain dict would walk over all that was ever removed each time that it looks for its oldest. Keys are texts:
        # tuples would keep the garbage collector busy.
        self._offsets: OrderedDict[str, int] = OrderedDict()

    def add(self, agency: str, ids: Sequence[str], offsets: Sequence[int]) -> None:
        """Remember these; the oldest are forgotten."""
        for id_, offset in zip(ids, offsets, strict=True):
            key = f"{agency}/{id_}"
            self._offsets[key] = offset
            self._offsets.move_to_end(key)
        while len(self._offsets) > self._remembered_max:
            self._offsets.popitem(last=False)

    def offset_of(self, agency: str, id_: str) -> int | None:
        """Where the agency's event stands in its topic, if this gateway took it lately."""
        return self._offsets.get(f"{agency}/{id_}")
