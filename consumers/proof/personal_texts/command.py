"""`yesser find-person`: where a person is named in entries and in refused records that were kept.

Finds a text in what an agency wrote: in an event, or in the bytes of a refused record. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import click
import orjson

from consumers.documents.log.entries import NAMED_PLACES, NamedPlace
from consumers.replay.as_of.query import print_list
from events.errors import YesserError
from events.values.bilingual import Bilingual
from events.values.reading_order import folded
from events.wire.entry import Entry, event_bytes, parse_entry
from events.wire.texts import is_text_hash
from infra.command_line.completion import agency_codes, registered
from infra.command_line.database import with_database
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option
from infra.command_line.progress_bar import progress_bar
from infra.log.reader import log_size, read_checked
from infra.log.texts import with_texts
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

LETTERS_MIN: Final = 3
READ_ENTRIES: Final = 4_096
REFUSED_ROWS: Final = 256
_SQL: Final = queries("consumers.proof.personal_texts", "find_person.sql")
_WHY: Final = "--reason-ar … --reason-en … --legal-basis-ar … --legal-basis-en …"
_NOWHERE: Final = Bilingual(
    "لم يرد النص في أي قيد ولا في سجل مرفوض محفوظ.", "No entry and no refused record that was kept holds this text."
)


class TooShort(YesserError, ValueError):
    """So short a text is found in nearly every event."""


def wanted(text: str) -> str:
    """What is searched for. Raises `TooShort`."""
    found = folded(text)
    if len(found.replace(" ", "")) < LETTERS_MIN:
        raise TooShort(f"write at least {LETTERS_MIN} letters or digits of the name")
    return found


def places(raw: bytes, text: str) -> list[tuple[str, str]]:
    """Where a record's bytes hold `text` (as of `wanted`): JSON pointer and the whole text there.

    Names of members count as their values do. What is no JSON is one text, at the pointer "".
    """
    try:
        texts = list(_texts(orjson.loads(raw), ""))
    except orjson.JSONDecodeError:
        texts = [("", raw.decode(errors="replace"))]
    # One search over all of them settles nearly every record.
    if text not in folded("\n".join(value for _, value in texts)):
        return []
    return [(pointer, value) for pointer, value in texts if text in folded(value)]


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, member in value.items():
            below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            yield below, name
            yield from _texts(member, below)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _texts(member, f"{pointer}/{number}")


class PersonName(click.ParamType[str]):
    """The name to search for, as texts are compared."""

    name = "name"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        try:
            return wanted(value)
        except TooShort as short:
            raise click.BadParameter(str(short), context, parameter) from None


@click.command("find-person")
@click.argument("text", metavar="NAME", type=PersonName())
@click.option("--agency", shell_complete=agency_codes, help="Only what this agency wrote.")
@json_option
@click.pass_context
def find_person(context: click.Context, text: str, agency: str | None, as_json: bool) -> None:
    """Find where a person is named in what agencies wrote: in entries, and in refused records that were kept.

    Below the places it prints the commands that withhold the text or delete the record. Upper and lower case, vowel
    signs and the forms of a letter do not matter. The trail keeps that somebody searched,
    and how many places were found, but not the name (docs/privacy.md).
    Exit code 1: nothing was found.
    """
    registered(agency)
    settings = Settings().acting_as("operator")
    found = with_database(settings, "find-person", lambda connection: search(connection, text, agency))
    if found or as_json:
        print_list(NAMED_PLACES, found, as_json)
        for command in () if as_json else dict.fromkeys(place.command for place in found if place.command is not None):
            click.echo(command)
    else:
        print_localized(_NOWHERE)
    context.exit(ExitCode.OK if found else ExitCode.ANSWER_IS_NO)


async def search(connection: Connection, text: str, agency: str | None = None) -> list[NamedPlace]:
    """Every place that holds `text` (as of `wanted`), by entry; adds a row to the trail.

    Raises `ChangedEntry` for an entry that does not match its leaf hash.
    """
    end = await log_size(connection)
    found = await _in_entries(connection, text, agency, end) + await _in_refused(connection, text, agency, end)
    chosen = () if agency is None else ("--agency", agency)
    await add_to_trail(connection, "find-person", *chosen, f"({len(found)})")
    return sorted(found, key=lambda place: (place.index, place.is_refused))


async def _in_entries(connection: Connection, text: str, agency: str | None, end: int) -> list[NamedPlace]:
    found: list[NamedPlace] = []
    index = 0
    with progress_bar("entries", end) as bar:
        while index < end and (entries := await read_checked(connection, index, min(READ_ENTRIES, end - index))):
            for raw, shown in zip(entries, await with_texts(connection, entries), strict=True):
                if held := places(event_bytes(shown), text):
                    entry = parse_entry(index, raw)
                    if agency in (None, entry.agency):
                        found += _in_entry(held, entry)
                index += 1
            bar.to(index)
    return found


async def _in_refused(connection: Connection, text: str, agency: str | None, end: int) -> list[NamedPlace]:
    found: list[NamedPlace] = []
    first = 0
    while rows := await connection.fetch(_SQL["refused"], first, agency, REFUSED_ROWS):
        for row in rows:
            if (held := places(row["value"], text)) and row["index"] < end:
                (raw,) = await read_checked(connection, row["index"], 1)
                recorded = parse_entry(row["index"], raw).recorded
                found += [_in_record(place, row, recorded) for place in held]
        first = rows[-1]["index"] + 1
    return found


def _in_entry(held: Iterable[tuple[str, str]], entry: Entry) -> Iterator[NamedPlace]:
    for pointer, text in held:
        yield NamedPlace(
            index=entry.index,
            is_refused=False,
            recorded=entry.recorded,
            type=entry.full_type,
            agency=entry.agency,
            pointer=pointer,
            text=text,
            command=_withhold(entry, pointer),
        )


def _withhold(entry: Entry, pointer: str) -> str | None:
    """The command that withholds the free text with this place; None where it is in none, or in the entry itself."""
    _, data, member, *_ = [*pointer.split("/"), "", ""]
    if data != "data" or not is_text_hash(entry.data.get(member)):
        return None
    return f"yesser withheld propose {entry.index} /data/{member} {_WHY}"


def _in_record(place: tuple[str, str], row: Mapping[str, Any], recorded: str) -> NamedPlace:
    topic, _, offset = row["address"].split("/")
    return NamedPlace(
        index=row["index"],
        is_refused=True,
        recorded=recorded,
        type=row["claimed_type"],
        agency=row["agency"],
        pointer=place[0],
        text=place[1],
        command=f"yesser erase {topic} {offset}",
    )
