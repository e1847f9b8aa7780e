"""`yesser trail`: who did what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from consumers.as_of.options import recorded_option
from infra.command_line.database import with_database
from infra.command_line.display import Column, Grid, show
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_result
from infra.postgres.trail import read_trail
from infra.settings import Settings


@click.command("trail")
@click.option(
    "--since", metavar="TIME", callback=recorded_option, help="Only since TIME, such as 2026-11-25T08:00:00+03:00."
)
@json_option
def trail(since: datetime | None, as_json: bool) -> None:
    """List the actions of operators, oldest first: when, who, on which host, and the command."""
    rows = with_database(Settings().acting_as("reader"), "trail", lambda connection: read_trail(connection, since))
    print_result(rows, as_json, lambda: show(trail_table(rows)))


def trail_table(rows: Sequence[Mapping[str, Any]]) -> Grid:
    columns = [
        Column("الوقت", "Time"),
        Column("المشغّل", "Operator"),
        Column("الجهاز", "Host", drop=1),
        Column("الأمر", "Command", wraps=True),
    ]
    cells = [[f"{r['at']:%Y-%m-%d %H:%M:%S}", r["operator"], r["host"], r["command"]] for r in rows]
    return Grid(localized("أعمال المشغّلين", "Actions of operators"), columns, cells)
