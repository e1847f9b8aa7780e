"""Reads what the plan's pages and tables show from the read API."""

from __future__ import annotations

from consumers.console.pages.plan.glance import Glance, glance
from consumers.console.pages.plan.moment import Moment
from consumers.console.visit import Visit
from consumers.read_api.resources.pace import pace_for
from consumers.read_api.resources.plan import plan_for


async def read_glance(visit: Visit, moment: Moment, partnerships_max: int | None = None) -> Glance:
    """The plan, and the pace after the same number of entries. All partnerships, or the first `partnerships_max`."""
    plan = (await visit.ask(plan_for, moment.index, moment.recorded, partnerships_max)).document
    pace = (await visit.ask(pace_for, plan.log_index)).document
    return glance(plan, pace, None if moment.is_now else plan.log_index)
