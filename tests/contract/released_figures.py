"""The figures that a release printed of its log, and that today's commands print of it too."""

from __future__ import annotations

from typing import Any

from consumers.programme.campaigns.read import campaigns_at as campaigns
from consumers.programme.plan.document import all_anomalies, plan_at_a_glance
from consumers.replay.as_of.view import view
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.read import balances
from infra.settings import Settings
from tests.world.documents import as_json


async def require_figures(settings: Settings, figures: dict[str, Any]) -> None:
    assert as_json((await plan_at_a_glance(settings))[0]) == figures["plan"]
    assert as_json(await all_anomalies(settings)) == figures["anomalies"]
    assert as_json(await campaigns(settings)) == figures["campaigns"]
    async with view(settings, [REVENUE]) as looked_at:
        assert as_json(await balances(await looked_at.use(REVENUE))) == figures["balances"]
