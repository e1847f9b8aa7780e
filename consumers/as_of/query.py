"""Runs a command's query on one consumer's tables and prints the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
import orjson
import uvloop
from rich.console import RenderableType
from rich.text import Text

from consumers.as_of.point_in_time import NOW, PointInTime
from consumers.as_of.view import view
from consumers.fold.consumer import Consumer
from infra.command_line import display
from infra.postgres.connection import Connection
from infra.settings import Settings

Answer = TypeVar("Answer")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def run_query(
    consumer: Consumer, question: Callable[[Connection], Awaitable[Answer]], moment: PointInTime | int | None = NOW
) -> tuple[int, Answer]:
    """The answer, and the log index that it is valid for."""

    async def asked() -> tuple[int, Answer]:
        async with view(Settings(), [consumer], moment) as open_view:
            return open_view.log_index, await question(await open_view.use(consumer))

    return uvloop.run(asked())


def print_json(document: Any) -> None:
    """Print one indented JSON document."""
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def show(moment: PointInTime, *tables: RenderableType) -> None:
    """Print tables for people, with the point in time unless it is now."""
    words = moment.words()
    display.show(*([Text(words, style="bold yellow")] if words else []), *tables)
