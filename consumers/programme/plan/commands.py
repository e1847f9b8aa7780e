"""`yesser plan` and `yesser anomalies`: now, or as of an index, a recorded time or an occurred date."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

import click

from consumers.documents.log.entries import Anomaly
from consumers.documents.programme.plan import Pace, Plan, PlanName
from consumers.programme.plan.show import anomalies_view, plan_view
from consumers.replay.as_of.options import as_of_options
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.query import print_view
from events.wire.entry import recorded_time
from infra.command_line.output import json_option
from infra.settings import Settings
from producers.sdk.problems import NotServed
from producers.sdk.read_api import Gateway, reads_options


@click.command()
@json_option
@as_of_options
@partial(reads_options, shows_past=True)
def plan(at: PointInTime, gateway: Gateway | None, as_json: bool) -> None:
    """Show the five-year plan at a glance · الخطة الخمسية في لمحة.

    As of an occurred date, partnerships are not shown, because the ledger's periods are closed in log order, and
    anomalies and airings are not judged (docs/audit.md).
    """
    if gateway is None:
        import uvloop

        from consumers.programme.plan.document import plan_at_a_glance

        document, name = uvloop.run(plan_at_a_glance(Settings(), at))
    else:
        document, name = _from_gateway(gateway, at)
    print_view(document, as_json, lambda: [plan_view(document, name)], at, gateway)


def _from_gateway(gateway: Gateway, at: PointInTime) -> tuple[Plan, PlanName | None]:
    """The plan, also of the past, and its name and dates. Raises `NotServed` for a gateway of another release."""
    recorded = None if at.recorded is None else recorded_time(at.recorded)
    named = {"as_of_index": at.index, "as_of_recorded": recorded, "as_of_occurred": at.occurred}
    query = urlencode({name: value for name, value in named.items() if value is not None})
    document, pace = gateway.document(Plan, f"/v1/plan?{query}"), gateway.document(Pace, f"/v1/pace?{query}")
    if document is None or pace is None:
        raise NotServed(f"{gateway.address} does not serve the plan.")
    return document, pace.plan


@click.command()
@json_option
@as_of_options
@reads_options
def anomalies(at: PointInTime, gateway: Gateway | None, as_json: bool) -> None:
    """List the accepted events that contradict what is known; they changed nothing.

    The past is read from the database only.
    """
    if gateway is None:
        import uvloop

        from consumers.programme.plan.document import all_anomalies

        rows = uvloop.run(all_anomalies(Settings(), at))
    else:
        rows = gateway.rows(Anomaly, "/v1/anomalies") or []
        rows.sort(key=lambda row: (row.found_index, row.index))  # the gateway gives the newest first
    print_view(rows, as_json, lambda: [anomalies_view(rows)], at, gateway)
