"""`yesser campaigns explain NAME`"""

from __future__ import annotations

import asyncio

import click

from consumers.as_of.options import as_of_options
from consumers.as_of.point_in_time import PointInTime
from consumers.as_of.query import print_view
from consumers.as_of.view import view
from consumers.campaigns.explain.read import CONSUMERS, explain
from consumers.campaigns.explain.show import explanation_parts
from consumers.campaigns.rules.in_force import rules_in_force
from consumers.documents.campaigns.evaluations import Explanation
from events.errors import YesserError
from infra.command_line.output import json_option
from infra.settings import Settings


class NothingKnown(YesserError):
    """The log has nothing of this name."""


@click.command("explain")
@click.argument("name")
@json_option
@as_of_options
def explain_command(at: PointInTime, name: str, as_json: bool) -> None:
    """Explain why there is a campaign, or why there is none: which rule, which entry, which figure, who acknowledged.

    NAME is a campaign, a service, an initiative, a quota as gregorian/2026/usage, or a group of a plan as PLAN/1.
    """
    found = asyncio.run(_explain(Settings(), name, at))
    if found is None:
        raise NothingKnown(
            f"the log has no campaign, service, initiative, quota or group {name}: see `yesser campaigns list` and "
            "`yesser services list`."
        )
    print_view(found, as_json, lambda: explanation_parts(found), at)


async def _explain(settings: Settings, name: str, at: PointInTime) -> Explanation | None:
    async with view(settings, CONSUMERS, at, from_log=True) as state:
        return await explain(state, rules_in_force(), name)
