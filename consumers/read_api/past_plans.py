"""The plan as of an index, calculated beside the gateway (`beside.py`). Requests for the same index share it.

Results are cached: the first N entries never change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Final

from consumers.documents.plan import Plan
from consumers.plan.document import plan_at_a_glance
from consumers.read_api.beside import Slots
from consumers.read_api.remembered import Remembered
from infra.process.tasks import retrieve_error
from infra.settings import Settings

REMEMBERED_MAX: Final = 256


class PastPlans:
    """Plans as of an index. `fold` calculates one."""

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


async def past_plan(settings: Settings, index: int) -> Plan:
    """The plan after `index` entries."""
    plan, _ = await plan_at_a_glance(settings, index)
    return plan
