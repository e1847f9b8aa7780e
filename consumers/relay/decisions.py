"""`yesser decisions`: what was decided again on recovered entries and is not in the log. A person sends or discards it.

Each command reads what is held and acts on it in one transaction, with its row in the trail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

import click
import orjson
from msgspec import Struct

from consumers.relay.relay import CLAIM_PREFIX
from events.errors import YesserError
from events.values.bilingual import Bilingual
from events.values.data import Data
from events.wire.envelope import short_type
from infra.command_line.database import with_database
from infra.command_line.display import Column, Grid, show, time_text
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

_SQL: Final = queries("consumers.relay", "decisions.sql")
Answer = TypeVar("Answer")


class NotHeld(YesserError):
    """No such decision is held: `yesser decisions list` shows those that are."""


class HeldDecision(Struct, frozen=True):
    """An event that the platform decided again on a recovered entry, and that waits for a person since `held_at`."""

    id: str
    cause_index: int | None
    held_at: datetime
    event: Data


@click.group()
def decisions() -> None:
    """Decide what the platform did not: what it decided again on recovered entries, and the log does not have.

    After `yesser recover` the rules may be others than those that first decided on these entries. What they decide now
    and the log has is dropped; what the log does not have is held. Send what is still to be done; discard the rest.
    """


@decisions.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List what is held, the oldest cause first."""
    rows = _with_database(_held)
    print_result(rows, as_json, lambda: _show(rows))


def _acting(name: str, summary: str, done: Bilingual) -> click.Command:
    @decisions.command(name, help=summary)
    @click.argument("ids", nargs=-1, metavar="[ID]…")
    @click.option("--all", "is_all", is_flag=True, help="All that are listed.")
    @json_option
    def command(ids: tuple[str, ...], is_all: bool, as_json: bool) -> None:
        if is_all == bool(ids):
            raise click.UsageError("Give the ids of the list, or --all.")
        acted = _with_database(lambda connection: act(connection, name, None if is_all else ids))
        print_confirmation({"ids": acted}, as_json, done.format(len(acted)))

    return command


send_command = _acting("send", "Send held decisions: they enter the log.", Bilingual("تُرسل: {:,}.", "{:,} are sent."))
discard_command = _acting(
    "discard", "Discard held decisions: they are never sent.", Bilingual("صُرف النظر عنها: {:,}.", "{:,} are discarded.")
)


async def act(connection: Connection, name: str, ids: Sequence[str] | None) -> list[str]:
    """Send or discard (`name`) these, or all that are held; returns their ids. Raises `NotHeld`."""
    async with connection.transaction():
        held = [row.id for row in await _held(connection)]
        chosen = held if ids is None else list(dict.fromkeys(ids))
        if unknown := [event_id for event_id in chosen if event_id not in held]:
            raise NotHeld(f"{', '.join(unknown)}: not held. `yesser decisions list` shows what is.")
        await connection.execute(_SQL[name], chosen)
        await add_to_trail(connection, "decisions", name, *(["--all"] if ids is None else chosen))
    return chosen


async def _held(connection: Connection) -> list[HeldDecision]:
    rows = await connection.fetch(_SQL["held"], CLAIM_PREFIX)
    return [
        HeldDecision(row["event_id"], row["cause_index"], row["held_at"], orjson.loads(row["value"])) for row in rows
    ]


def _with_database(work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    return with_database(Settings().acting_as("operator"), "decisions", work)


def _show(rows: Sequence[HeldDecision]) -> None:
    if not rows:
        print_localized(Bilingual("لا شيء ينتظر قرارًا.", "Nothing is held."))
        return
    columns = [
        Column("المعرّف", "Id"),
        Column("النوع", "Type"),
        Column("السبب", "Cause"),
        Column("منذ", "Since", drop=1),
    ]
    cells = [
        [
            row.id,
            short_type(row.event["type"]),
            None if row.cause_index is None else f"i{row.cause_index}",
            time_text(row.held_at),
        ]
        for row in rows
    ]
    show(Grid(Bilingual("ما ينتظر قرارًا", "Held decisions"), columns, cells))
    sentence = Bilingual(
        "أرسل ما بقي لازمًا: `yesser decisions send ID`، واصرف النظر عن غيره: `yesser decisions discard ID`.",
        "Send what is still to be done (`yesser decisions send ID`); discard the rest (`yesser decisions discard ID`).",
    )
    print_localized(sentence)
