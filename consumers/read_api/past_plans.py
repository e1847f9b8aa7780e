"""The plan as of an index: computed by a process of its own, and the answer never changes.

`yesser plan --as-of-index` runs beside the gateway (`beside.py`), and requests for the same index share one process.
Results are cached: the first N entries never change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Final

from consumers.documents.document import document_of
from consumers.documents.plan import Plan
from consumers.read_api.beside import Slots, output_of
from consumers.read_api.remembered import Remembered
from infra.json_documents import from_json
from infra.process.tasks import retrieve_error
from infra.settings import Settings

REMEMBERED_MAX: Final = 256


class PastPlans:
    """Plans as of an index. `fold` computes one, see `fold_beside`."""

    def __init__(self, fold: Callable[[int], Awaitable[Plan]], remembered_max: int = REMEMBERED_MAX) -> None:
        self._fold = fold
        self._slots = Slots()
        self._known: Remembered[Plan] = Remembered(remembered_max)
        self._under_way: dict[int, asyncio.Task[Plan]] = {}

    async def plan(self, index: int, holder: str) -> Plan:
        """The plan after `index` entries, which the log has.

        Raises `Problem`: 503 if too many are being computed, 429 if `holder` has its share of them.
        """
        known = self._known.get(index)
        if known is not None:
            return known
        task = self._under_way.get(index)
        if task is None:
            slot = ExitStack()
            slot.enter_context(self._slots.using(holder))
            task = self._under_way[index] = asyncio.create_task(self._remembered(index))
            task.add_done_callback(lambda _: slot.close())
            task.add_done_callback(retrieve_error)
        # A caller that is cancelled does not cancel the fold for the others.
        return await asyncio.shield(task)

    async def _remembered(self, index: int) -> Plan:
        try:
            document = await self._fold(index)
        finally:
            del self._under_way[index]
        self._known.add(index, document)
        return document


def fold_beside(settings: Settings) -> Callable[[int], Awaitable[Plan]]:
    """Folds in a process of its own. Raises `Problem` (503, 500)."""

    async def fold(index: int) -> Plan:
        printed = await output_of(settings, "plan", "--json", "--as-of-index", str(index))
        return document_of(Plan, from_json(printed))

    return fold
