"""`yesser ledger terms P` and `yesser ledger statement P PERIOD`: a contract in words, a statement with its working."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click
from msgspec.structs import asdict
from rich.console import RenderableType
from rich.text import Text

from consumers.documents.document import document_of
from consumers.documents.ledger.partnerships import EXPECTED, PartnershipAndRevenue
from consumers.documents.names import Names, codes_in
from consumers.documents.tables import grid
from consumers.replay.as_of.names import names_of
from consumers.replay.as_of.query import run_query
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.statements.formats import FORMATS
from consumers.revenue.statements.paper import Paper, sheet_table, statement_paper
from consumers.revenue.statements.read import expected_and_actual, expected_by_version, statement_parts
from consumers.revenue.statements.words import terms_in_words
from events.values.bilingual import Bilingual
from infra.command_line.completion import from_database
from infra.command_line.display import show
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_json, print_result
from infra.command_line.parameters import PeriodLabel, index_option
from infra.postgres.connection import Connection
from infra.settings import Settings

partnerships_completion: Final = from_database(lambda: read.PARTNERSHIP_IDS, CONSUMER.schema)
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command("terms")
@click.argument("partnership", shell_complete=partnerships_completion)
@json_option
@index_option
def terms_command(partnership: str, as_json: bool, as_of_index: int | None) -> None:
    """Show the terms of a PARTNERSHIP in words: parties, versions with bands, cap and guarantee, expected revenue."""
    _, (shown, names) = run_query(CONSUMER, lambda connection: _terms(connection, partnership), as_of_index)
    print_result(shown, as_json, lambda: _print_terms(terms_in_words(shown, names), shown), indented=True)


@click.command("statement")
@click.argument("partnership", shell_complete=partnerships_completion)
@click.argument("period", type=PeriodLabel())
@click.option(
    "--working",
    "with_working",
    is_flag=True,
    help="With --json: also how each figure follows, as in the text.",
)
@click.option("--html", type=_FILE, help="Write the statement with its working as a page to this file.")
@click.option("--pdf", type=_FILE, help="Write the same as PDF.")
@click.option("--csv", type=_FILE, help="Write every receipt with its arithmetic, for programs, as CSV.")
@click.option("--xlsx", type=_FILE, help="Write the statement and its receipts as a workbook, in riyals.")
@click.option("--parquet", type=_FILE, help="Write what the CSV has as Parquet.")
@json_option
@index_option
def statement_command(
    partnership: str,
    period: str,
    with_working: bool,
    html: Path | None,
    pdf: Path | None,
    as_json: bool,
    as_of_index: int | None,
    **tables: Path | None,
) -> None:
    """Show the statement of a closed PERIOD (1426-03, 2005-Q1) of a PARTNERSHIP, or write it to files.

    Pages are in Arabic and English side by side, and name the log entries and the checkpoint that prove them.
    """
    files = {name: path for name, path in {"html": html, "pdf": pdf, **tables}.items() if path is not None}
    if as_json and not files and not with_working:
        _, shown = run_query(CONSUMER, lambda connection: read.statement(connection, partnership, period), as_of_index)
        print_json(shown, indented=True)
        return
    _, parts = run_query(
        CONSUMER,
        lambda connection: statement_parts(connection, partnership, period, Settings().public_address),
        as_of_index,
    )
    for name, path in files.items():
        path.write_bytes(FORMATS[name].render(parts))
    if files:
        written = {name: str(path) for name, path in files.items()}
        text = ", ".join(written.values())
        print_result(written, as_json, lambda: print_localized(Bilingual("كُتب: {}", "Written: {}").format(text)))
    else:
        print_result(parts.document(), as_json, lambda: show(*_on_screen(statement_paper(parts))), indented=True)


async def _terms(connection: Connection, partnership_id: str) -> tuple[PartnershipAndRevenue, Names]:
    await read.require_partnership(connection, partnership_id)
    found = await read.partnership(connection, partnership_id)
    assert found is not None, "it is known"
    sums = await expected_by_version(connection, partnership_id)
    versions = [{**asdict(version), "expected_halalas": sums[version.version]} for version in found.versions]
    expected = await expected_and_actual(connection, partnership_id)
    shown = document_of(PartnershipAndRevenue, asdict(found), versions=versions, expected=expected)
    return shown, await names_of(connection, codes_in(shown))


def _on_screen(paper: Paper) -> Iterator[RenderableType]:
    """Its title, each sheet as a table, and what proves it."""
    yield Text(localized(paper.title), style="bold")
    for sheet in paper.sheets:
        yield ""
        yield sheet_table(sheet)
    yield ""
    yield localized(paper.proof, "\n")
    if paper.link:
        yield paper.link


def _print_terms(sentences: Iterable[Bilingual], shown: PartnershipAndRevenue) -> None:
    for sentence in sentences:
        print_localized(sentence)
    if shown.expected:
        show(grid(EXPECTED, shown.expected))
