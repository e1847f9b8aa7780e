"""`yesser ledger balances | statement P PERIOD | transfers P`: now, or as of an index of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
import orjson
import uvloop
from rich.console import Console

from consumers.as_of import view
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.show import balances_table, statement_table, transfers_table
from infra.postgres import Connection
from infra.settings import Settings

Result = TypeVar("Result")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
index_option = click.option(
    "--as-of-index", "as_of_index", type=click.IntRange(min=0), metavar="N", help="As it stood after N entries."
)


@click.group()
def ledger() -> None:
    """Balances, statements and transfers of the revenue share."""


@ledger.command()
@json_option
@index_option
def balances(as_json: bool, as_of_index: int | None) -> None:
    """Every account with its debits, credits and balance; the balances sum to zero."""
    log_index, shown = _read(as_of_index, read.balances)
    if as_json:
        _print_json({"log_index": log_index, **shown})
    else:
        Console().print(balances_table(shown["accounts"], log_index))


@ledger.command()
@click.argument("partnership")
@click.argument("period")
@json_option
@index_option
def statement(partnership: str, period: str, as_json: bool, as_of_index: int | None) -> None:
    """The statement of a closed PERIOD (1426-03, 2005-Q1) of a PARTNERSHIP."""
    _, shown = _read(as_of_index, lambda connection: read.statement(connection, partnership, period))
    if as_json:
        _print_json(shown)
    else:
        Console().print(statement_table(shown))


@ledger.command()
@click.argument("partnership")
@json_option
@index_option
def transfers(partnership: str, as_json: bool, as_of_index: int | None) -> None:
    """The transfers of a PARTNERSHIP in log order."""
    log_index, shown = _read(as_of_index, lambda connection: read.transfers(connection, partnership))
    if as_json:
        _print_json({"log_index": log_index, "partnership_id": partnership, "transfers": shown})
    else:
        Console().print(transfers_table(partnership, shown))


def _print_json(document: dict[str, Any]) -> None:
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _read(as_of_index: int | None, question: Callable[[Connection], Awaitable[Result]]) -> tuple[int, Result]:
    """The log index that the answer speaks of, and the answer."""

    async def ask() -> tuple[int, Result]:
        async with view(Settings(), [CONSUMER], as_of_index) as looked_at:
            return looked_at.log_index, await question(await looked_at.use(CONSUMER))

    return uvloop.run(ask())
