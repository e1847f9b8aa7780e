"""`yesser ledger balances | partnerships | statements P | statement P PERIOD | transfers P`: now, or as of an index."""

from __future__ import annotations

import click

from consumers.as_of.query import print_view, run_query
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.show import (
    balances_table,
    partnerships_table,
    statement_table,
    statements_table,
    transfers_table,
)
from infra.command_line.completion import from_database
from infra.command_line.output import json_option
from infra.command_line.parameters import PeriodLabel, index_option

_partnerships = from_database(lambda: read.PARTNERSHIP_IDS, CONSUMER.schema)


@click.group()
def ledger() -> None:
    """Show balances, statements and transfers of the revenue share."""


@ledger.command()
@json_option
@index_option
def balances(as_json: bool, as_of_index: int | None) -> None:
    """Show every account with its debits, credits and balance; the balances sum to zero."""
    log_index, shown = run_query(CONSUMER, read.balances, as_of_index)
    document = {"log_index": log_index, **shown}
    print_view(document, as_json, lambda: [balances_table(shown["accounts"], log_index)])


@ledger.command()
@json_option
@index_option
def partnerships(as_json: bool, as_of_index: int | None) -> None:
    """List the partnerships with their owner, partner and open period."""
    _, shown = run_query(CONSUMER, read.partnerships, as_of_index)
    print_view(shown, as_json, lambda: [partnerships_table(shown)])


@ledger.command()
@click.argument("partnership", shell_complete=_partnerships)
@json_option
@index_option
def statements(partnership: str, as_json: bool, as_of_index: int | None) -> None:
    """List the statements of all closed periods of a PARTNERSHIP."""
    _, shown = run_query(CONSUMER, lambda connection: read.statements_of(connection, partnership), as_of_index)
    print_view(shown, as_json, lambda: [statements_table(partnership, shown)])


@ledger.command()
@click.argument("partnership", shell_complete=_partnerships)
@click.argument("period", type=PeriodLabel())
@json_option
@index_option
def statement(partnership: str, period: str, as_json: bool, as_of_index: int | None) -> None:
    """Show the statement of a closed PERIOD (1426-03, 2005-Q1) of a PARTNERSHIP."""
    _, shown = run_query(CONSUMER, lambda connection: read.statement(connection, partnership, period), as_of_index)
    print_view(shown, as_json, lambda: [statement_table(shown)])


@ledger.command()
@click.argument("partnership", shell_complete=_partnerships)
@json_option
@index_option
def transfers(partnership: str, as_json: bool, as_of_index: int | None) -> None:
    """List the transfers of a PARTNERSHIP in log order."""
    log_index, shown = run_query(CONSUMER, lambda connection: read.transfers(connection, partnership), as_of_index)
    document = {"log_index": log_index, "partnership_id": partnership, "transfers": shown}
    print_view(document, as_json, lambda: [transfers_table(partnership, shown)])
