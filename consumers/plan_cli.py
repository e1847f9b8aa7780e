"""`yesser plan` and `yesser anomalies`: now, or as of an index of the log."""

from __future__ import annotations

import click
import orjson
import uvloop
from rich.console import Console

from consumers.plan import all_anomalies, plan_at_a_glance
from consumers.plan_show import anomalies_view, plan_view
from infra.settings import Settings

_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_index_option = click.option(
    "--as-of-index", "as_of_index", type=click.IntRange(min=0), metavar="N", help="As it stood after N entries."
)


@click.command()
@_json_option
@_index_option
def plan(as_json: bool, as_of_index: int | None) -> None:
    """The five-year plan at a glance · الخطة الخمسية في لمحة."""
    document, name = uvloop.run(plan_at_a_glance(Settings(), as_of_index))
    if as_json:
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    else:
        Console().print(plan_view(document, name))


@click.command()
@_json_option
@_index_option
def anomalies(as_json: bool, as_of_index: int | None) -> None:
    """What was accepted and does not fit what is known; it changed nothing."""
    rows = uvloop.run(all_anomalies(Settings(), as_of_index))
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    else:
        Console().print(anomalies_view(rows))
