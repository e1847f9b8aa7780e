"""`yesser refusals list`."""

from __future__ import annotations

from typing import Any, Final

import click
import orjson

from consumers.log_cli import read
from events.problems import arabic_of
from infra.postgres import Connection
from infra.sql import queries

_SQL: Final = queries("consumers", "refusals.sql")


@click.group()
def refusals() -> None:
    """What was refused, with reasons."""


@refusals.command("list")
@click.option("--agency", help="Only those of this agency.")
@click.option("--as-of-index", "position", type=click.IntRange(min=0), help="Only entries below this position.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(agency: str | None, position: int | None, as_json: bool) -> None:
    """One row per refused record, in log order."""

    async def find(connection: Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in await connection.fetch(_SQL["list"], agency, position)]

    rows = read(find)
    if as_json:
        click.echo(orjson.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['index']:>9}  {row['address']}  {row['claimed_id'] or ''}")
        for error in row["errors"]:
            click.echo(f"           {error['code']} at {error['pointer'] or 'the whole'}: {error['detail']}")
            click.echo(f"           {arabic_of(error['detail'])}")
