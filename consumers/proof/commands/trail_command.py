"""`yesser trail`: who did what."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import click
import uvloop

from consumers.documents.document import document_of
from consumers.documents.tables import grid
from consumers.documents.teams.teams import TRAIL, TrailRow
from infra.command_line.database import with_database
from infra.command_line.display import show
from infra.command_line.output import json_option, print_json, print_result
from infra.command_line.parameters import time_option
from infra.postgres.connection import Connection
from infra.postgres.trail import trail_rows
from infra.process.retry import PatientConnection
from infra.process.tasks import stop_at_signals, until_one_ends
from infra.settings import Settings

LOOK_EVERY_S: Final = 1.0


@click.command("trail")
@click.option(
    "--since", metavar="TIME", callback=time_option, help="Only since TIME, such as 2026-11-25T08:00:00+03:00."
)
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    metavar="POSITION",
    help="Only rows after POSITION, to continue where a reader stopped.",
)
@click.option("--event", "event_id", metavar="ID", help="Only rows about the event ID: which account sent it.")
@click.option("--follow", is_flag=True, help="JSON lines, one a row, then each new row until ctrl-C or SIGTERM.")
@json_option
def trail(since: datetime | None, after: int, event_id: str | None, follow: bool, as_json: bool) -> None:
    """List who did what, in the order of the commits: when, the account or operator, the database role that wrote the
    row, the host, and the command.

    With --follow each row is a line of JSON, for a SIEM. Its `position` is unique and grows by one: start again with
    --after and the last one. While the database is away, the command waits.
    """
    settings = Settings().acting_as("reader")
    if follow:
        uvloop.run(_follow(settings, after, since, event_id))
        return

    async def read(connection: Connection) -> list[TrailRow]:
        return [document_of(TrailRow, row) async for row in trail_rows(connection, after, since, event_id)]

    rows = with_database(settings, "trail", read)
    print_result(rows, as_json, lambda: show(grid(TRAIL, rows)))


async def _follow(settings: Settings, after: int, since: datetime | None, event_id: str | None) -> None:
    await until_one_ends(_print_rows(settings, after, since, event_id), stop_at_signals().wait())


async def _print_rows(settings: Settings, after: int, since: datetime | None, event_id: str | None) -> None:
    async with PatientConnection(settings, "trail", None) as patient:

        async def look(connection: Connection) -> None:
            nonlocal after
            async for row in trail_rows(connection, after, since, event_id):
                print_json(row)
                after = row["position"]

        while True:
            await patient.ask(look)
            patient.hurry()
            await asyncio.sleep(LOOK_EVERY_S)
