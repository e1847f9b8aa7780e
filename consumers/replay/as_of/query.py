"""Runs a command's query on one consumer's tables and prints the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import RenderableType
from rich.text import Text

from consumers.replay.as_of.point_in_time import NOW, PointInTime
from consumers.replay.fold.consumer import Consumer
from infra.command_line import display
from infra.command_line.output import print_result
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.postgres.connection import Connection

Answer = TypeVar("Answer")


def run_query(
    consumer: Consumer, question: Callable[[Connection], Awaitable[Answer]], at: PointInTime | int | None = NOW
) -> tuple[int, Answer]:
    """The answer, and the log index that it is valid for."""
    # Imported here: what a gateway answers is printed without the database's packages.
    import uvloop

    from consumers.replay.as_of.view import view

    async def asked() -> tuple[int, Answer]:
        async with view(Settings(), [consumer], at) as open_view:
            return open_view.log_index, await question(await open_view.use(consumer))

    return uvloop.run(asked())


def print_view(
    document: Any,
    as_json: bool,
    tables: Callable[[], Iterable[RenderableType]],
    at: PointInTime = NOW,
    *,
    from_database: bool = True,
) -> None:
    """Print an indented JSON document, or tables below the point in time unless it is now. They show the names of the
    codes in the document where it is `from_database`."""
    if from_database and not as_json:
        from consumers.replay.as_of.names import show_names_in  # imported here, as above

        show_names_in(document)
    words = at.words()
    title = [Text(words, style="bold yellow")] if words else []
    print_result(document, as_json, lambda: display.show(*title, *tables()), indented=True)
