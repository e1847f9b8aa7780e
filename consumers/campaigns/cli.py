"""`yesser campaigns list`: the awareness campaigns, as they stand now or stood at some moment."""

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
from consumers.campaigns.consumer import CONSUMER
from consumers.campaigns.read import CHANNELS, campaigns
from consumers.moment_options import chosen, moment_options
from consumers.moments import Moment
from infra.settings import Settings

STATES: Final = {
    "triggered": "أُطلقت\ntriggered",
    "acknowledged": "استُلمت\nacknowledged",
    "completed": "اكتملت\ncompleted",
}
PAUSED: Final = "موقوفة\npaused"
ESCALATED: Final = "مُصعّدة\nescalated"


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
