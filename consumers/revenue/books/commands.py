"""`yesser ledger export`: the ledger as books that others open."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from consumers.replay.as_of.query import run_query
from consumers.revenue import read
from consumers.revenue.books.journal import COLUMNS, Booking, beancount_lines, bookings
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.statements.commands import partnerships_completion
from events.values.bilingual import Bilingual
from infra.command_line.output import json_option, print_confirmation
from infra.command_line.parameters import index_option
from infra.command_line.table_files import WRITERS
from infra.postgres.connection import Connection

BEANCOUNT: Final = "beancount"
TITLE: Final = "Revenue share of the e-government programme"


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice([BEANCOUNT, *WRITERS]), default=BEANCOUNT, show_default=True)
@click.option("--partnership", shell_complete=partnerships_completion, help="Only this partnership; default: all.")
@json_option
@index_option
def export_command(file: Path, form: str, partnership: str | None, as_json: bool, as_of_index: int | None) -> None:
    """Write every transfer of the ledger to FILE, for beancount (double-entry text), a spreadsheet or a database.

    Each transfer has its day, its log entry, and its accounts with their names in Arabic and English.
    """

    async def found_in(connection: Connection) -> list[Booking]:
        if partnership is not None:
            await read.require_partnership(connection, partnership)
        return [booking async for booking in bookings(connection, partnership)]

    log_index, found = run_query(CONSUMER, found_in, as_of_index)
    if form == BEANCOUNT:
        file.write_text("".join(beancount_lines(found, TITLE)), encoding="utf-8")
    else:
        WRITERS[form](file, COLUMNS, (booking.row() for booking in found))
    count = len(found)
    sentence = Bilingual("{}: {:,} من الصفوف، بعد {:,} من القيود.", "{}: {:,} rows, after {:,} log entries.").format(
        file, count, log_index
    )
    print_confirmation({"file": str(file), "format": form, "log_index": log_index, "rows": count}, as_json, sentence)
