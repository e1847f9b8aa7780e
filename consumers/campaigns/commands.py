"""`yesser campaigns list | show ID`: the awareness campaigns, now or as of a point in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from consumers.as_of.options import as_of_options
from consumers.as_of.point_in_time import PointInTime
from consumers.as_of.query import print_view, run_query
from consumers.as_of.view import view
from consumers.campaigns.consumer import CONSUMER
from consumers.campaigns.read import CHANNELS, campaign, campaigns
from events.errors import YesserError
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized
from infra.command_line.output import json_option
from infra.settings import Settings

STATES: Final = {
    "triggered": ("أُطلقت", "triggered"),
    "acknowledged": ("استُلمت", "acknowledged"),
    "completed": ("اكتملت", "completed"),
}
PAUSED: Final = ("موقوفة", "paused")
ESCALATED: Final = ("مُصعّدة", "escalated")


class NoCampaign(YesserError):
    """The log has no campaign with this id."""


@click.group("campaigns")
def campaigns_group() -> None:
    """Show the awareness campaigns and their state."""


@campaigns_group.command("list")
@json_option
@as_of_options
def list_command(at: PointInTime, as_json: bool) -> None:
    """List the campaigns in the log."""
    rows = asyncio.run(read(Settings(), at))
    print_view(rows, as_json, lambda: [table(rows)], at)


@campaigns_group.command("show")
@click.argument("campaign_id")
@json_option
@as_of_options
def show_command(at: PointInTime, campaign_id: str, as_json: bool) -> None:
    """Show a campaign with its brief, its reason and its airings."""
    _, shown = run_query(CONSUMER, lambda connection: campaign(connection, campaign_id), at)
    if shown is None:
        raise NoCampaign(f"the log has no campaign {campaign_id}: see `yesser campaigns list`.")
    print_view(shown, as_json, lambda: [table([shown]), *words_of(shown)], at)


async def read(settings: Settings, at: PointInTime | int | None = None) -> list[dict[str, Any]]:
    """The rows now, or as of a point in time or index."""
    async with view(settings, [CONSUMER], at) as state:
        return await campaigns(await state.use(CONSUMER))


def table(rows: Sequence[dict[str, Any]]) -> Grid:
    """The campaigns as a table."""
    columns = [
        Column("الحملة", "Campaign"),
        Column("الموعد", "Due"),
        Column("الحالة", "State"),
        Column("البث", "TV·radio·print", drop=1, right=True),
        Column("الوصول", "Reach", drop=2, right=True),
    ]
    shown = [
        [
            "\n".join([row["campaign_id"], " · ".join(filter(None, (row["owner"], row["service_id"])))]),
            row["due_on"],
            state_words(row),
            " · ".join(str(row["aired"][channel]) for channel in CHANNELS),
            f"{row['reach']:,}",
        ]
        for row in rows
    ]
    return Grid(localized("حملات التوعية", "Awareness campaigns"), columns, shown)


def words_of(shown: dict[str, Any]) -> Iterator[str]:
    """The brief, the reason, and a line for each airing."""
    for text in (shown["brief"], shown["reason"]):
        yield localized(text["ar"], text["en"], "\n") + "\n"
    for airing in shown["airings"]:
        outlet = localized(airing["outlet"]["ar"], airing["outlet"]["en"])
        yield f"{airing['aired_on']}  {airing['channel']:<5}  {airing['reach']:>12,}  {outlet}"


def state_words(row: dict[str, Any]) -> str:
    """State, pause and escalation in words."""
    words = [STATES[row["state"]]]
    if row["paused"]:
        words.append(PAUSED)
    if row["escalated"]:
        words.append(ESCALATED)
    return "\n".join(localized(*word, between="\n") for word in words)
