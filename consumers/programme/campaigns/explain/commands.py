"""`yesser campaigns explain NAME`"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import click
from msgspec import UNSET

from consumers.documents.campaigns.evaluations import Evaluation, ExplainedCampaign, Explanation
from consumers.documents.names import with_code
from consumers.documents.tables import names
from consumers.programme.campaigns.rules.in_force import rules_in_force
from consumers.programme.campaigns.show import acknowledgement
from consumers.replay.as_of.point_in_time import PointInTime, as_of_options
from consumers.replay.as_of.query import print_view
from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.command_line.language import localized
from infra.command_line.output import json_option
from infra.settings import Settings
from producers.sdk.read_api import Gateway, reads_options

_KINDS: Final = {
    "campaign": Bilingual("حملة", "campaign"),
    "service": Bilingual("خدمة", "service"),
    "quota": Bilingual("مقاعد", "quota"),
    "group": Bilingual("مجموعة", "group"),
    "initiative": Bilingual("مبادرة", "initiative"),
}
_INDENT: Final = "    "


class NothingKnown(YesserError):
    """The log has nothing of this name."""


@click.command("explain")
@click.argument("name")
@json_option
@as_of_options
@reads_options
def explain_command(at: PointInTime, name: str, gateway: Gateway | None, as_json: bool) -> None:
    """Explain why there is a campaign, or why there is none: which rule, which entry, which figure, who acknowledged.

    NAME is a campaign, a service, an initiative, a quota as gregorian/2026/usage, or a group of a plan as PLAN/1.
    A gateway explains the agency's campaigns only. The past is read from the database only.
    """
    if gateway is None:
        found = asyncio.run(_explain(Settings(), name, at))
    else:
        found = gateway.document(Explanation, f"/v1/campaigns/{quote(name, safe='')}/explanation")
    if found is None:
        raise NothingKnown(
            f"the log has no campaign, service, initiative, quota or group {name}: see `yesser campaigns list` and "
            "`yesser services list`."
        )
    print_view(found, as_json, lambda: explanation_parts(found), at, gateway)


async def _explain(settings: Settings, name: str, at: PointInTime) -> Explanation | None:
    from consumers.programme.campaigns.explain.read import CONSUMERS, explain
    from consumers.replay.as_of.view import view

    async with view(settings, CONSUMERS, at, from_log=True) as state:
        return await explain(state, rules_in_force(), name)


def explanation_parts(found: Explanation) -> Iterator[str]:
    """The campaigns with who has them, what prevents one, and each evaluation with its reason."""
    yield f"{localized(_KINDS[found.about.kind])}  {found.about.id}\n"
    for campaign in found.campaigns:
        yield from _campaign_lines(campaign)
    for text in found.remarks:
        yield localized(text, "\n")
    if found.evaluations:
        yield "\n" + localized(Bilingual("ما قررته القواعد", "What the rules decided"))
    for row in found.evaluations:
        yield from _evaluation_lines(row)


def _campaign_lines(campaign: ExplainedCampaign) -> Iterator[str]:
    entry, on = "—" if campaign.triggered_index is None else f"i{campaign.triggered_index}", campaign.due_on
    yield f"{campaign.campaign_id}  {localized(with_code(names(), 'agency', campaign.owner))}"
    yield _INDENT + localized(Bilingual("القيد {}، الموعد {}", "entry {}, due on {}").format(entry, on), f"\n{_INDENT}")
    said = acknowledgement(campaign)
    yield _INDENT + localized(said, f"\n{_INDENT}")


def _evaluation_lines(row: Evaluation) -> Iterator[str]:
    verdict = localized(Bilingual("أُطلقت", "fired")) if row.fired else localized(Bilingual("لم تُطلق", "did not fire"))
    part = f" {row.part}" if row.part else ""
    entries = f"i{row.cause_index}"
    if row.count is not UNSET:
        entries = f"i{row.first_index}…{entries} ×{row.count}"
    yield f"{row.rule}{part}  {entries}  {verdict}"
    yield _INDENT + localized(row.reason, f"\n{_INDENT}")
