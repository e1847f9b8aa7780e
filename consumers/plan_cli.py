"""`yesser plan` and `yesser anomalies`: now, or as of an index, a recorded time or an occurred date."""

from __future__ import annotations

from datetime import datetime

import click
import orjson
import uvloop
from rich.console import Console, RenderableType

from consumers.moment_options import chosen, moment_options
from consumers.moments import Moment
from consumers.plan import all_anomalies, plan_at_a_glance
from consumers.plan_show import anomalies_view, plan_view
from infra.settings import Settings

_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.command()
@_json_option
@moment_options
def plan(as_json: bool, as_of_index: int | None, as_of_recorded: datetime | None, as_of_occurred: str | None) -> None:
    """The five-year plan at a glance · الخطة الخمسية في لمحة.

    As of an occurred date no partnerships are shown: the periods of the ledger are closed in the order of the log.
    """
    moment = chosen(as_of_index, as_of_recorded, as_of_occurred)
    document, name = uvloop.run(plan_at_a_glance(Settings(), moment))
    if as_json:
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    else:
        _show(moment, plan_view(document, name))


@click.command()
@_json_option
@moment_options
def anomalies(
    as_json: bool, as_of_index: int | None, as_of_recorded: datetime | None, as_of_occurred: str | None
) -> None:
    """What was accepted and does not fit what is known; it changed nothing."""
    moment = chosen(as_of_index, as_of_recorded, as_of_occurred)
    rows = uvloop.run(all_anomalies(Settings(), moment))
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    else:
        _show(moment, anomalies_view(rows))


def _show(moment: Moment, found: RenderableType) -> None:
    console = Console()
    if words := moment.words():
        console.print(words, style="bold yellow")
    console.print(found)
