"""`yesser log size` and `yesser log show I`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import orjson
import uvloop

from events.errors import YesserError
from infra.log_reader import log_size, read_entries, read_leaves
from infra.postgres import Connection, connect
from infra.settings import Settings

Answer = TypeVar("Answer")


class NoSuchEntry(YesserError):
    """The log has no entry at this index yet."""


@click.group()
def log() -> None:
    """The national log: its size, its entries."""


@log.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def size(as_json: bool) -> None:
    """Number of entries."""
    number = read(log_size)
    click.echo(orjson.dumps({"size": number}) if as_json else number)


@log.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option("--json", "as_json", is_flag=True, help="Print the entry's bytes exactly as they are hashed.")
def show(index: int, as_json: bool) -> None:
    """The entry at INDEX."""

    async def find(connection: Connection) -> tuple[bytes, bytes]:
        entries = await read_entries(connection, index, 1)
        if not entries:
            raise NoSuchEntry(f"the log has {await log_size(connection)} entries, numbered from 0: there is no {index}")
        return entries[0], await read_leaves(connection, index, 1)

    entry, leaf = read(find)
    if as_json:
        click.echo(entry)
        return
    click.echo(f"entry {index}, leaf hash {leaf.hex()}")
    click.echo(orjson.dumps(orjson.loads(entry), option=orjson.OPT_INDENT_2))


def read(question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    """Ask the database of the settings once."""

    async def ask() -> Answer:
        connection = await connect(Settings(), "log")
        try:
            return await question(connection)
        finally:
            await connection.close()

    return uvloop.run(ask())
