"""`yesser campaigns list`: the awareness campaigns, as they stand now or stood at an index of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import click
import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from consumers.as_of import view
from consumers.campaigns.consumer import CONSUMER
from consumers.campaigns.read import CHANNELS, campaigns
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
@click.option("--as-of-index", type=click.IntRange(min=0), metavar="N", help="As it stood after N entries.")
def list_command(as_json: bool, as_of_index: int | None) -> None:
    """List the campaigns that stand in the log."""
    rows = asyncio.run(read(Settings(), as_of_index))
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        Console().print(table(rows))


async def read(settings: Settings, as_of_index: int | None = None) -> list[dict[str, Any]]:
    """The rows now, or after `as_of_index` entries."""
    async with view(settings, [CONSUMER], as_of_index) as state:
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
