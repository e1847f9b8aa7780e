"""Joins the read sides of three consumers into `yesser plan` and `yesser anomalies` (events.md §5)."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from consumers.documents.log.entries import Anomaly
from consumers.documents.programme.plan import Plan, PlanName
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.campaigns.read import awareness
from consumers.programme.projections import read
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import View, view
from consumers.replay.fold.consumer import Consumer
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.read import partnerships_count, partnerships_of_plan
from infra.settings import Settings

NOT_JUDGED: Final = (
    "anomalies",
    "awareness.aired",
    "awareness.on_all_three",
    "awareness.general_campaigns",
    "awareness.reach",
    "partnerships",
)
"""Figures that depend on the order of the log, so that entries chosen by the date on which they occurred say nothing of
them: what contradicts what, what was aired for campaigns that count from their due date on, and the ledger."""
PLAN_CONSUMERS: Final[tuple[Consumer, ...]] = (PROJECTIONS, CAMPAIGNS, REVENUE)
"""The consumers of the plan's figures, each with its own anomalies."""


async def plan_at_a_glance(settings: Settings, at: PointInTime | int | None = None) -> tuple[Plan, PlanName | None]:
    """The shown plan, with its name and dates; now or as of a point in time or index.

    As of an occurred date, `not_judged` names the figures that the document cannot judge.
    """
    async with view(settings, shown_at(at), at) as shown:
        document = await (plan_by_occurrence if by_occurrence(at) else plan_document)(shown)
        return document, await read.plan_name(await shown.use(PROJECTIONS))


async def plan_by_occurrence(shown: View) -> Plan:
    """The figures of a view as of an occurred date, and which of them it cannot judge."""
    return replace(await plan_document(shown), not_judged=NOT_JUDGED)


def shown_at(at: PointInTime | int | None) -> tuple[Consumer, ...]:
    """The consumers shown at a point in time: without the ledger as of an occurred date."""
    return (PROJECTIONS, CAMPAIGNS) if by_occurrence(at) else PLAN_CONSUMERS


def by_occurrence(at: PointInTime | int | None) -> bool:
    """Whether entries count by the date on which they occurred."""
    return isinstance(at, PointInTime) and at.occurred is not None


async def plan_document(shown: View, owner: str | None = None, partnerships_max: int | None = None) -> Plan:
    """The figures of the shown plan; no partnerships if the view has no ledger.

    `owner` limits the partnerships to this agency's. With `partnerships_max` the document has the first of them, and
    `partnerships_count`.
    """
    aired = await awareness(await shown.use(CAMPAIGNS))
    contradictions = sum(
        [await read.anomalies_count(await shown.use(consumer)) for consumer in _consumers_shown(shown)]
    )
    document = await read.progress(await shown.use(PROJECTIONS), shown.log_index, aired, contradictions)
    if not shown.shows(REVENUE):
        return document
    ledger = await shown.use(REVENUE)
    counted = UNSET if partnerships_max is None else await partnerships_count(ledger, owner)
    partnerships = tuple(await partnerships_of_plan(ledger, owner, partnerships_max))
    return replace(document, partnerships=partnerships, partnerships_count=counted)


def _consumers_shown(shown: View) -> list[Consumer]:
    return [consumer for consumer in PLAN_CONSUMERS if shown.shows(consumer)]


async def all_anomalies(settings: Settings, at: PointInTime | int | None = None) -> list[Anomaly]:
    """`yesser anomalies --json`: the anomalies of all consumers by (`found_index`, `index`)."""
    async with view(settings, shown_at(at), at) as shown:
        rows = await anomalies_found(shown)
    return [replace(row, judged=False) for row in rows] if by_occurrence(at) else rows


async def anomalies_found(shown: View, chosen: read.AnomalyFilter = read.ALL_ANOMALIES) -> list[Anomaly]:
    """The first matching anomalies of all consumers, by (`found_index`, `index`)."""
    anomaly_rows: list[Anomaly] = []
    for consumer in _consumers_shown(shown):
        anomaly_rows += await read.anomalies(await shown.use(consumer), chosen)
    return sorted(anomaly_rows, key=lambda row: (row.found_index, row.index))[: chosen.rows_max]
