"""`yesser log size`, `yesser log show I` and `yesser log find`."""

from __future__ import annotations

from base64 import b64decode
from difflib import get_close_matches
from typing import Any

import click
import orjson
from click.shell_completion import CompletionItem

from consumers.documents.log.entries import ENTRIES, PAGE_ROWS_MAX, Entry
from consumers.documents.tables import grid
from consumers.replay.as_of.query import run_query, show_names_in
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from events.errors import YesserError
from events.types.catalogue import CATALOGUE
from events.values.bilingual import Bilingual
from events.wire.envelope import full_type, short_type
from infra.command_line import display
from infra.command_line.completion import agency_codes, registered
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_json, print_result
from infra.settings import Settings
from producers.sdk.read_api import Gateway, reads_options


class NoSuchEntry(YesserError):
    """The log has no entry at this index yet."""


class EventTypeName(click.ParamType[str]):
    """A type of the catalogue, by its short or full name; for an unknown one the error suggests the nearest."""

    name = "type"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        short = short_type(str(value))
        if short in CATALOGUE:
            return full_type(short)
        near = get_close_matches(short, CATALOGUE, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "docs/events.md lists the types."
        raise click.BadParameter(f"{value!r} is not an event type. {hint}", context, parameter)

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in CATALOGUE if name.startswith(incomplete)]


@click.group()
def log() -> None:
    """Show the national log: its size and its entries."""


@log.command()
@json_option
def size(as_json: bool) -> None:
    """Print the number of entries."""
    from infra.command_line.database import with_database
    from infra.log.reader import log_size

    number = with_database(Settings(), "log", log_size)
    print_result({"size": number}, as_json, lambda: click.echo(number))


@log.command()
@click.argument("index", type=click.IntRange(min=0))
@reads_options
@click.option("--json", "as_json", is_flag=True, help="Print the entry's exact bytes, as they are hashed.")
def show(index: int, gateway: Gateway | None, as_json: bool) -> None:
    """Show the entry at INDEX, with its texts."""
    if gateway is None:
        entry, shown, leaf = _stored(index)
    elif (proof := gateway.proof(index)) is not None:
        entry, shown, leaf = proof.entry.encode(), proof.shown, b64decode(proof.leaf)
    else:
        raise NoSuchEntry(f"the log has no entry {index}, or it is another agency's")
    if as_json:
        click.echo(entry)
        return
    print_localized(Bilingual("القيد {}، بصمته {}", "entry {}, leaf hash {}").format(index, leaf.hex()))
    click.echo(orjson.dumps(orjson.loads(shown), option=orjson.OPT_INDENT_2))


def _stored(index: int) -> tuple[bytes, bytes, bytes]:
    """An entry of the database, the same with its texts, and its leaf hash."""
    from infra.command_line.database import with_database
    from infra.log.reader import log_size, read_checked, read_leaves
    from infra.log.texts import with_texts

    async def find(connection: Any) -> tuple[bytes, bytes, bytes]:
        entries = await read_checked(connection, index, 1)
        if not entries:
            raise NoSuchEntry(f"the log has {await log_size(connection)} entries, numbered from 0: there is no {index}")
        (shown,) = await with_texts(connection, entries)
        return entries[0], shown, await read_leaves(connection, index, 1)

    return with_database(Settings(), "log", find)


@log.command()
@click.option("--subject", help="Like service/S-1.")
@click.option("--type", "kind", type=EventTypeName(), help="Short, such as service.launched, or in full.")
@click.option("--id", "event_id", help="The event's id.")
@click.option("--agency", shell_complete=agency_codes, help="The sender's code.")
@click.option("--after-index", type=click.IntRange(min=0), metavar="N", help="Only entries after this one.")
@click.option(
    "--limit",
    type=click.IntRange(1, PAGE_ROWS_MAX),
    default=100,
    show_default=True,
    help="Maximum number of entries.",
)
@reads_options
@json_option
def find(
    subject: str | None,
    kind: str | None,
    event_id: str | None,
    agency: str | None,
    after_index: int | None,
    limit: int,
    gateway: Gateway | None,
    as_json: bool,
) -> None:
    """Find entries by subject, type, id and sender; all given conditions must match."""
    if gateway is None:
        from consumers.replay.event_index import read

        query = read.Query(
            subject, kind, registered(agency), event_id, -1 if after_index is None else after_index, limit
        )
        _, page = run_query(EVENT_INDEX, lambda connection: read.find(connection, query))
        events, are_more = page.events, page.next_cursor is not None
    else:
        chosen = {"subject": subject, "type": kind, "id": event_id, "agency": agency, "after_index": after_index}
        found = gateway.rows(Entry, "/v1/entries", limit + 1, **chosen) or []
        events, are_more = found[:limit], len(found) > limit
    if as_json:
        print_json(events, indented=True)
        return
    show_names_in(events, gateway)
    display.show(grid(ENTRIES, events))
    if are_more:
        last = events[-1].index
        sentence = Bilingual("هناك المزيد: أضف --after-index {}.", "There are more: add --after-index {}.").format(last)
        print_localized(sentence, err=True)
