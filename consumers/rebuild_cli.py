"""`yesser rebuild [NAME] [--compare] [--swap]`: builds read models again beside the live ones."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import orjson
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from consumers.consumer import Consumer
from consumers.divergence import FirstDifference
from consumers.rebuild import Rebuilt, Wish, document, position_of, rebuild
from consumers.registry import CONSUMERS
from consumers.replay import Progress as Report
from infra.exit_codes import ExitCode
from infra.postgres import connect
from infra.settings import Settings


@click.command("rebuild")
@click.argument("name", required=False, type=click.Choice(sorted(CONSUMERS)))
@click.option("--compare", is_flag=True, help="Compare row by row with the live tables (done unless only --swap).")
@click.option("--swap", is_flag=True, help="Put the rebuilt tables in the place of the live ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rebuild_command(name: str | None, compare: bool, swap: bool, as_json: bool) -> None:
    """Build the read models of NAME (or of all) again from the log.

    Both are compared at the same index of the log; exit code 1 says that a row differs. With --swap the rebuilt tables
    take the place of the live ones. Nothing is ever sent to anyone.
    """
    chosen = [CONSUMERS[name]] if name else list(CONSUMERS.values())
    # Batches are thousands of small objects that die together: the default thresholds would collect for nothing.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    results = uvloop.run(rebuild_all(Settings(), chosen, Wish(compare=compare or not swap, swap=swap)))
    found = document(results)
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        show(results)
    sys.exit(ExitCode.OK if found["ok"] else ExitCode.SAID_NO)


async def rebuild_all(settings: Settings, consumers: Sequence[Consumer], wish: Wish) -> list[Rebuilt]:
    """One after the other, with a bar for each on stderr where that is a terminal."""
    connection = await connect(settings, "rebuild")
    try:
        ends = [await position_of(connection, consumer) for consumer in consumers]
    finally:
        await connection.close()
    results = []
    for consumer, end in zip(consumers, ends, strict=True):
        with _bar(consumer.name, end) as report:
            results.append(await rebuild(settings, consumer, wish, report))
    return results


@contextmanager
def _bar(name: str, total: int) -> Iterator[Report]:
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=total)
        yield lambda entries: progress.advance(task, entries)


def show(results: Sequence[Rebuilt]) -> None:
    """The read models as a table; what differs first."""
    console = Console()
    table = Table(title="Rebuilt from the log · أُعيد البناء من سجل الأحداث", title_justify="left")
    for title in ("Consumer", "Read model", "Rows", "SHA-256", "Same as live"):
        table.add_column(title, justify="right" if title == "Rows" else "left")
    for model in (model for result in results for model in result.read_models):
        verdict = "not compared" if model.differing is None else "yes" if model.ok else f"no: {model.differing:,} rows"
        table.add_row(model.consumer, model.name, f"{model.rows:,}", f"{model.sha256[:16]}…", verdict)
    console.print(table)
    for result in results:
        if result.first_difference is not None:
            _show_difference(console, result.first_difference)
        if result.swapped:
            console.print(f"{result.consumer}: the rebuilt tables are live, at index {result.log_index:,}.")


def _show_difference(console: Console, found: FirstDifference) -> None:
    where = "no row names an entry" if found.index is None else f"first at index {found.index:,}"
    console.print(f"[bold red]{found.consumer} differs[/], {where}.")
    if found.event is not None:
        console.print(f"  event {found.event['id']} ({found.event['type']}) of {found.event['source']}", markup=False)
    for row in found.rows:
        console.print(f"  {row.table} {row.key}: live {row.live}, rebuilt {row.rebuilt}", markup=False)
