"""`yesser campaigns list`: the awareness campaigns, as they stand now or stood at an index of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import click
import orjson
from rich.console import Console
from rich.table import Table

from consumers.as_of import view
from consumers.campaigns.consumer import CONSUMER
from consumers.campaigns.read import CHANNELS, campaigns
from infra.settings import Settings

COLUMNS: Final = ("الحملة\nCampaign", "المالك\nOwner", "الخدمة\nService", "الموعد\nDue", "الحالة\nState")
FIGURES: Final = ("تلفاز\nTV", "إذاعة\nRadio", "صحافة\nPrint", "الوصول\nReach")
STATES: Final = {
    "triggered": "أُطلقت · triggered",
    "acknowledged": "استُلمت · acknowledged",
    "completed": "اكتملت · completed",
}
PAUSED: Final = "موقوفة · paused"
ESCALATED: Final = "مُصعّدة · escalated"


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
    """The campaigns for the eye, in Arabic and English."""
    result = Table(title="حملات التوعية · Awareness campaigns")
    for heading in COLUMNS:
        result.add_column(heading, overflow="fold")
    for heading in FIGURES:
        result.add_column(heading, justify="right")
    for row in rows:
        aired = (str(row["aired"][channel]) for channel in CHANNELS)
        result.add_row(
            row["campaign_id"],
            row["owner"],
            row["service_id"] or "—",
            row["due_on"],
            state_words(row),
            *aired,
            f"{row['reach']:,}",
        )
    return result


def state_words(row: dict[str, Any]) -> str:
    """State, pause and escalation in words."""
    words = [STATES[row["state"]]]
    if row["paused"]:
        words.append(PAUSED)
    if row["escalated"]:
        words.append(ESCALATED)
    return "\n".join(words)
