"""Runs a command's query on one consumer's tables and prints the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence, Set
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from rich.console import RenderableType
from rich.text import Text

from consumers.documents.document import Listing, Name
from consumers.documents.names import Code, codes_in
from consumers.documents.tables import grid, use_names
from consumers.replay.as_of.point_in_time import NOW, PointInTime
from consumers.replay.fold.consumer import Consumer
from events.errors import YesserError
from infra.command_line import display
from infra.command_line.output import print_result
from infra.settings import Settings
from producers.sdk.read_api import Gateway

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


def show_names_in(document: Any, gateway: Gateway | None = None) -> None:
    """Have the tables of this command show the names of the codes in a document, or the codes where neither the gateway
    nor the database can be asked."""
    show_names_of(set(codes_in(document)), gateway)


def show_names_of(codes: Set[Code], gateway: Gateway | None = None) -> None:
    """The same, of these codes."""
    if not codes:
        return
    if gateway is None:
        from consumers.replay.as_of.names import stored_names  # imported here, as above

        use_names(stored_names(codes))
        return
    with suppress(YesserError):
        rows = gateway.names(f"{kind}/{code}" for kind, code in codes)
        use_names({(row.kind, row.code): Name(row.name.ar, row.name.en) for row in rows})


def print_list(listing: Listing, rows: Sequence[Struct], as_json: bool) -> None:
    """Print one JSON document, or a table with the names of the codes in its rows."""
    if not as_json:
        show_names_in(rows)
    print_result(rows, as_json, lambda: display.show(grid(listing, rows)))


def print_view(
    document: Any,
    as_json: bool,
    tables: Callable[[], Iterable[RenderableType]],
    at: PointInTime = NOW,
    gateway: Gateway | None = None,
) -> None:
    """Print an indented JSON document, or tables below the point in time unless it is now. They show the names of the
    codes in the document, as the gateway or the database has them."""
    if not as_json:
        show_names_in(document, gateway)
    words = at.words()
    title = [Text(words, style="bold yellow")] if words else []
    print_result(document, as_json, lambda: display.show(*title, *tables()), indented=True)
