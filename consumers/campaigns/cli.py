"""`yesser campaigns list | show ID`: the awareness campaigns, as they stand now or stood at some moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click
from rich.box import SIMPLE
from rich.table import Table

from consumers.as_of import view
from consumers.asking import ask, json_option, print_json, show
from consumers.campaigns.consumer import CONSUMER
from consumers.campaigns.read import CHANNELS, campaign, campaigns
from consumers.moment_options import moment_options
from consumers.moments import Moment
from events.errors import YesserError
from infra.settings import Settings

STATES: Final = {
    "triggered": "أُطلقت\ntriggered",
    "acknowledged": "استُلمت\nacknowledged",
    "completed": "اكتملت\ncompleted",
}
PAUSED: Final = "موقوفة\npaused"
ESCALATED: Final = "مُصعّدة\nescalated"


class NoCampaign(YesserError):
    """The log has no campaign of that id."""


@click.group("campaigns")
def campaigns_group() -> None:
    """The awareness campaigns and their state."""


@campaigns_group.command("list")
@json_option
@moment_options
def list_command(moment: Moment, as_json: bool) -> None:
    """List the campaigns that stand in the log."""
    rows = asyncio.run(read(Settings(), moment))
    if as_json:
        print_json(rows)
    else:
        show(moment, table(rows))


@campaigns_group.command("show")
@click.argument("campaign_id")
@json_option
@moment_options
def show_command(moment: Moment, campaign_id: str, as_json: bool) -> None:
    """A campaign with its brief, its reason and its airings."""
    _, shown = ask(CONSUMER, lambda connection: campaign(connection, campaign_id), moment)
    if shown is None:
        raise NoCampaign(f"the log has no campaign {campaign_id}: see `yesser campaigns list`.")
    if as_json:
        print_json(shown)
        return
    show(moment, table([shown]), *words_of(shown))


async def read(settings: Settings, moment: Moment | int | None = None) -> list[dict[str, Any]]:
    """The rows now, or as of a moment (or index)."""
    async with view(settings, [CONSUMER], moment) as state:
        return await campaigns(await state.use(CONSUMER))


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """The campaigns for the eye, in Arabic and English; narrow enough for a terminal of 80 columns."""
    result = Table(title="حملات التوعية · Awareness campaigns", box=SIMPLE, padding=(0, 1, 1, 0), expand=True)
    result.add_column("الحملة\nCampaign", overflow="fold", ratio=1)
    result.add_column("الموعد\nDue", no_wrap=True)
    result.add_column("الحالة\nState", no_wrap=True)
    result.add_column("البث\nTV·radio·print", justify="right", no_wrap=True)
    result.add_column("الوصول\nReach", justify="right", no_wrap=True)
    for row in rows:
        who = " · ".join(filter(None, (row["owner"], row["service_id"])))
        aired = " · ".join(str(row["aired"][channel]) for channel in CHANNELS)
        result.add_row(f"{row['campaign_id']}\n{who}", row["due_on"], state_words(row), aired, f"{row['reach']:,}")
    return result


def words_of(shown: dict[str, Any]) -> Iterator[str]:
    """The brief, the reason, and a line for each airing."""
    for text in (shown["brief"], shown["reason"]):
        yield f"{text['ar']}\n{text['en']}\n"
    for airing in shown["airings"]:
        outlet = f"{airing['outlet']['ar']} · {airing['outlet']['en']}"
        yield f"{airing['aired_on']}  {airing['channel']:<5}  {airing['reach']:>12,}  {outlet}\n"


def state_words(row: dict[str, Any]) -> str:
    """State, pause and escalation in words."""
    words = [STATES[row["state"]]]
    if row["paused"]:
        words.append(PAUSED)
    if row["escalated"]:
        words.append(ESCALATED)
    return "\n".join(words)
