"""`yesser ledger reconcile`: a partner's or a bank's table against the log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import click
from msgspec.structs import replace

from consumers.documents.document import Listing
from consumers.documents.ledger.ledger import READ_ROWS, Finding, FindingKind
from consumers.documents.tables import csv_file, grid
from consumers.explain.ledger.bank_table import (
    KINDS,
    BankTable,
    Columns,
    guessed,
    in_words,
    read_table,
    remember,
    remembered,
)
from consumers.explain.ledger.proving import entries_of
from consumers.explain.ledger.reconcile import SHOWN_MAX, FileRow, reconcile, totals, type_of
from consumers.proof.audit.pinned_checkpoint import state_folder
from consumers.revenue.statements.commands import partnerships_completion
from events.values.bilingual import Bilingual, joined
from infra.command_line.display import show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_result
from infra.errors import WrongInput
from infra.settings import Settings
from infra.tables.mapping import MappingDocument, read_mapping
from infra.tables.rows import mapped_rows

_ROWS: Final = dict(zip(("receipts", "reversals", "payouts"), KINDS, strict=True))
_PLACES: Final = ("date", "amount", "id", "currency")
_MAPPING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("reconcile")
@click.argument("partnership", shell_complete=partnerships_completion)
@click.argument("file", type=click.File("rb"))
@click.option("--mapping", "mapping_file", type=_MAPPING, help="How its columns map, as for `publish`.")
@click.option("--rows", type=click.Choice(list(_ROWS)), help="What the rows are.")
@click.option("--date", metavar="COLUMN", help="The column of the dates.")
@click.option("--amount", metavar="COLUMN", help="The column of the amounts.")
@click.option("--id", metavar="COLUMN", help='The column of the ids; "" for none.')
@click.option("--currency", metavar="COLUMN", help='The column of the currency; "" for none.')
@click.option("--amounts", type=click.Choice(["riyals", "halalas"]), help="The unit of the amounts.")
@click.option("--order", type=click.Choice(["day-first", "month-first"]), help="Of dates such as 05/01/2005.")
@click.option(
    "--csv", "into", type=click.Path(dir_okay=False, path_type=Path), help="Write every finding to this file."
)
@json_option
@click.pass_context
def reconcile_command(
    context: click.Context,
    /,
    partnership: str,
    file: BinaryIO,
    mapping_file: Path | None,
    into: Path | None,
    as_json: bool,
    **said: str | None,
) -> None:
    """Compare a partner's or a bank's table of receipts, reversals or payouts with the log: CSV or XLSX.

    What its columns are is guessed and shown; an option that says otherwise is remembered for tables with the same
    columns. A mapping is that of `yesser publish`; its constant "/type" says which of the three the rows are. Rows
    without an id are matched by date and amount. Exit code 1: something is missing, different, doubled or unreadable.
    """
    others, columns = 0, None
    try:
        if mapping_file is not None:
            kind, rows, others = _rows_of(partnership, file, read_mapping(mapping_file))
            entries = asyncio.run(entries_of(Settings(), f"partnership/{partnership}"))
        else:
            table = read_table(file)
            entries = asyncio.run(entries_of(Settings(), f"partnership/{partnership}"))
            columns = _columns_of(table, entries, {name: value for name, value in said.items() if value is not None})
            kind, rows = columns.kind, table.read(columns)
            if not as_json:
                print_localized(in_words(table, columns))
                show(grid(READ_ROWS, table.preview(columns)))
    except WrongInput as error:
        raise click.UsageError(localized(error.sentence, "\n")) from error
    findings = reconcile(kind, rows, entries)
    counts = totals(findings)
    differing = [finding for finding in findings if finding.kind is not FindingKind.MATCHED]
    if into is not None:
        # Ids of the file are anybody's text: a spreadsheet must not run them.
        written = [replace(row, reason=row.reason.plain()) if row.reason else row for row in findings]
        into.write_bytes(csv_file(Listing("المطابقة", "Reconciliation", Finding), written).encode())
    document = {
        "partnership_id": partnership,
        "type": kind,
        "rows_of_other_partnerships": others,
        **{kind.value.replace("-", "_"): count for kind, count in counts.items()},
        "findings": differing,
        **({} if columns is None else {"columns": columns}),
    }
    print_result(document, as_json, lambda: _show_findings(partnership, differing, counts), indented=True)
    context.exit(ExitCode.ANSWER_IS_NO if differing else ExitCode.OK)


def _columns_of(table: BankTable, entries: Sequence[tuple[int, bytes]], said: Mapping[str, str]) -> Columns:
    """What was said of such a table before, else the guess, with what is said now. Raises `WrongInput`."""
    file = state_folder().parent / "tables.json"
    kept = file.read_bytes() if file.exists() else b"{}"
    known = remembered(kept, table)
    places = {name: table.place(value) if value else None for name, value in said.items() if name in _PLACES}
    if known is None:
        known = guessed(table, entries, date=places.get("date"), amount=places.get("amount"))
    if not said:
        return known
    columns = replace(
        known,
        **places,
        kind=_ROWS.get(said.get("rows", ""), known.kind),
        in_halalas=said["amounts"] == "halalas" if "amounts" in said else known.in_halalas,
        month_first=said["order"] == "month-first" if "order" in said else known.month_first,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(remember(kept, table, columns))
    return columns


def _rows_of(partnership: str, file: BinaryIO, mapping: MappingDocument) -> tuple[str, list[FileRow], int]:
    """The type of the rows, the partnership's own, and how many name another. Raises `WrongInput`."""
    kind, rows, others = None, [], 0
    for line, bound, cells in mapped_rows(file, mapping):
        document = bound.event(cells)
        own_kind = type_of(document)
        if kind is not None and own_kind != kind:
            raise WrongInput(f"line {line} is a {own_kind} and the lines before are {kind}: make a table of each type")
        kind = own_kind
        data = document.get("data", {})
        if not isinstance(data, dict):
            raise WrongInput('the mapping fills "/data" itself: name its members, such as "/data/amount_halalas"')
        if data.get("partnership_id", partnership) == partnership:
            rows.append(FileRow(line, data))
        else:
            others += 1
    if kind is None:
        raise WrongInput("the table has no rows below its header")
    return kind, rows, others


def _show_findings(partnership: str, differing: Sequence[Finding], counts: Mapping[FindingKind, int]) -> None:
    if differing:
        title = Listing("مطابقة {}، بالريال", "Reconciliation of {}, in riyals", Finding).format(partnership)
        show(grid(title, differing[:SHOWN_MAX]))
    if (unshown := len(differing) - SHOWN_MAX) > 0:
        more = Bilingual("غير ذلك {:,} لا تظهر هنا: --csv FILE.", "{:,} more are not shown: --csv FILE.")
        print_localized(more.format(unshown))
    number = Bilingual("{} {:,}", "{} {:,}")
    numbers = joined(number.format(kind, count) for kind, count in counts.items() if count)
    print_localized(Bilingual("{}.", "{}.").format(numbers))
