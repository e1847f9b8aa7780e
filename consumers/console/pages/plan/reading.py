"""Reads what the plan's pages and tables show from the read API."""

from __future__ import annotations

from consumers.console.pages.plan.glance import Glance, glance
from consumers.console.pages.plan.moment import Moment
from consumers.console.visit import Visit
from consumers.documents.document import document_of
from consumers.documents.plan import Pace, Plan


async def read_glance(visit: Visit, moment: Moment, partnerships_max: int | None = None) -> Glance:
    """The plan, and the pace after the same number of entries. All partnerships, or the first `partnerships_max`."""
    asked = {"as_of_index": moment.index, "as_of_recorded": moment.recorded, "partnerships_max": partnerships_max}
    plan = document_of(Plan, (await visit.read("/v1/plan", **asked)).document)
    pace = document_of(Pace, (await visit.read("/v1/pace", as_of_index=plan.log_index)).document)
    return glance(plan, pace, None if moment.is_now else plan.log_index)
