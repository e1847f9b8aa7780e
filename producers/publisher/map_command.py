"""`yesser map FILE`: a mapping to start from, made from the table's header."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from events.types.catalogue import CATALOGUE, may_send
from infra.command_line.parameters import OutputFile, usage_errors
from infra.event_files.starter import starter_mapping


@click.command("map")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--type",
    "type_name",
    type=click.Choice([name for name, one in CATALOGUE.items() if may_send("office", one)]),
    metavar="TYPE",
    help="What each row is, such as revenue.collected (default: the type whose fields the columns are named like).",
)
@click.option("--sheet", help="The sheet of a workbook with several tables.")
@click.option("--output", type=OutputFile(), metavar="FILE", help="Write it to FILE, not to the terminal.")
def map_command(file: BinaryIO, type_name: str | None, sheet: str | None, output: Path | None) -> None:
    """Make a mapping for FILE, a table (CSV or XLSX), from the names of its columns.

    Check it, complete the lines that begin with #, and give it to `yesser lint` and `yesser publish` with --mapping.
    """
    with usage_errors():
        text = starter_mapping(file, Path(file.name).name, type_name, sheet)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
