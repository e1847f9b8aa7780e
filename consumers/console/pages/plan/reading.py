"""Reads what the plan's pages and tables show from the read API."""

from __future__ import annotations

from consumers.console.pages.plan.glance import Glance, glance
from consumers.console.pages.plan.moment import Moment
from consumers.console.visit import Visit


async def read_glance(visit: Visit, moment: Moment, partnerships_max: int | None = None) -> Glance:
    """The plan, and the pace after the same number of entries. All partnerships, or the first `partnerships_max`."""
    asked = {"as_of_index": moment.index, "as_of_recorded": moment.recorded, "partnerships_max": partnerships_max}
    plan = (await visit.read("/v1/plan", **asked)).document
    index = plan["log_index"]
    pace = await visit.read("/v1/pace", as_of_index=index)
    return glance(plan, pace.document, None if moment.is_now else index)
