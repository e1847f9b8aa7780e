"""`yesser ledger balances | partnerships | statements P | transfers P`: now, or as of an index."""

from __future__ import annotations

import click

from consumers.documents.document import Listing
from consumers.documents.ledger.ledger import TRANSFERS, Balance, Balances, Transfer, Transfers, sum_of
from consumers.documents.ledger.partnerships import PARTNERSHIPS
from consumers.documents.ledger.statements import STATEMENTS, Statement
from consumers.documents.tables import grid
from consumers.replay.as_of.query import print_view, run_query
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.statements.commands import partnerships_completion
from infra.command_line.output import json_option
from infra.command_line.parameters import index_option
from infra.postgres.connection import Connection


@click.command()
@json_option
@index_option
def balances(as_json: bool, as_of_index: int | None) -> None:
    """Show every account with its debits, credits and balance; the balances sum to zero."""
    log_index, shown = run_query(CONSUMER, read.balances, as_of_index)
    title = Listing("الأرصدة بالريال بعد {:,} من القيود", "Balances in riyals after {:,} log entries", Balance)
    document = Balances(log_index=log_index, accounts=tuple(shown))
    print_view(document, as_json, lambda: [grid(title.format(log_index), shown, sum_of(shown))])


@click.command()
@json_option
@index_option
def partnerships(as_json: bool, as_of_index: int | None) -> None:
    """List the partnerships with their owner, partner and open period."""
    _, shown = run_query(CONSUMER, read.partnerships, as_of_index)
    print_view(shown, as_json, lambda: [grid(PARTNERSHIPS, shown)])


@click.command()
@click.argument("partnership", shell_complete=partnerships_completion)
@json_option
@index_option
def statements(partnership: str, as_json: bool, as_of_index: int | None) -> None:
    """List the statements of all closed periods of a PARTNERSHIP."""

    async def found(connection: Connection) -> list[Statement]:
        await read.require_partnership(connection, partnership)
        return await read.statements_of(connection, partnership)

    _, shown = run_query(CONSUMER, found, as_of_index)
    print_view(shown, as_json, lambda: [grid(STATEMENTS.about(partnership), shown)])


@click.command()
@click.argument("partnership", shell_complete=partnerships_completion)
@json_option
@index_option
def transfers(partnership: str, as_json: bool, as_of_index: int | None) -> None:
    """List the transfers of a PARTNERSHIP in log order."""

    async def found(connection: Connection) -> list[Transfer]:
        await read.require_partnership(connection, partnership)
        return await read.transfers(connection, partnership)

    log_index, shown = run_query(CONSUMER, found, as_of_index)
    document = Transfers(log_index=log_index, partnership_id=partnership, transfers=tuple(shown))
    print_view(document, as_json, lambda: [grid(TRANSFERS.about(partnership), shown)])
