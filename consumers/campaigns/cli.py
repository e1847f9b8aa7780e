"""`yesser campaigns list | show ID`: the awareness campaigns, as they stand now or stood at some moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import click
import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from consumers.as_of import view
from consumers.asking import ask, json_option, print_json
from consumers.campaigns.consumer import CONSUMER
from consumers.campaigns.read import CHANNELS, campaign, campaigns
from consumers.moment_options import chosen, moment_options
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
@click.option("--json", "as_json", is_flag=True, help="Print one document.")
@moment_options
def list_command(
    as_json: bool, as_of_index: int | None, as_of_recorded: datetime | None, as_of_occurred: str | None
) -> None:
    """List the campaigns that stand in the log."""
    moment = chosen(as_of_index, as_of_recorded, as_of_occurred)
    rows = asyncio.run(read(Settings(), moment))
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console()
        if words := moment.words():
            console.print(words, style="bold yellow")
        console.print(table(rows))


@campaigns_group.command("show")
@click.argument("campaign_id")
@json_option
@moment_options
def show_command(
    campaign_id: str,
    as_json: bool,
    as_of_index: int | None,
    as_of_recorded: datetime | None,
    as_of_occurred: str | None,
) -> None:
    """A campaign with its brief, its reason and its airings."""
    moment = chosen(as_of_index, as_of_recorded, as_of_occurred)
    _, shown = ask(CONSUMER, lambda connection: campaign(connection, campaign_id), moment)
    if shown is None:
        raise NoCampaign(f"the log has no campaign {campaign_id}: see `yesser campaigns list`.")
    if as_json:
        print_json(shown)
        return
    console = Console()
    console.print(table([shown]))
    for text in (shown["brief"], shown["reason"]):
        console.print(f"{text['ar']}\n{text['en']}\n")
    for airing in shown["airings"]:
        outlet = f"{airing['outlet']['ar']} · {airing['outlet']['en']}"
        console.print(f"{airing['aired_on']}  {airing['channel']:<5}  {airing['reach']:>12,}  {outlet}")


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


def state_words(row: dict[str, Any]) -> str:
    """State, pause and escalation in words."""
    words = [STATES[row["state"]]]
    if row["paused"]:
        words.append(PAUSED)
    if row["escalated"]:
        words.append(ESCALATED)
    return "\n".join(words)
