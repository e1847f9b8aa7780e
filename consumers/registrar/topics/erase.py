"""`yesser erase TOPIC OFFSET`: deletes a record that must not be kept from its agency's topic, with all before it.

Kafka deletes records only from a topic's beginning. Each of them has its verdict, and the log holds what was accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import click

from events.errors import YesserError
from events.values.bilingual import Bilingual, in_lines
from infra.command_line.break_glass import break_glass_option
from infra.command_line.database import with_database
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import NOTHING_DONE, json_option, print_confirmation
from infra.kafka.admin import admin_client, delete_records
from infra.kafka.client_config import is_agency_topic
from infra.kafka.end_offsets import first_offset
from infra.keys.second_person import permitted
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.postgres.verdicts import read_verdicts
from infra.settings import Settings

_SQL: Final = queries("consumers.registrar.topics", "erase.sql")


class CannotErase(YesserError):
    """This record cannot be erased; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is erased: the records `first_offset … offset` of the topic (none if it begins after `offset`).

    `accepted_index`: the log's entry of this record, or of the event that it repeats, which stays. `refusal_index`: the
    entry that refuses it; `is_kept`: whether its bytes were kept, which are erased too.
    """

    topic: str
    offset: int
    first_offset: int
    accepted_index: int | None
    refusal_index: int | None
    is_kept: bool

    @property
    def records(self) -> int:
        return max(0, self.offset + 1 - self.first_offset)

    @property
    def address(self) -> str:
        return f"{self.topic}/0/{self.offset}"

    def sentences(self) -> Iterator[Bilingual]:
        """What erasing does."""
        yield Bilingual(
            "ما يُحذف من سجلات {} حتى الموضع {}: {:,}.", "Records of {} that are deleted, up to offset {}: {:,}."
        ).format(self.topic, self.offset, self.records)
        if self.is_kept:
            yield Bilingual(
                "وتُحذف معها البايتات المحفوظة مع الرفض في القيد {}.",
                "The bytes kept with the refusal at log entry {} are deleted too.",
            ).format(self.refusal_index)
        if self.accepted_index is not None:
            yield Bilingual(
                "قُبل الحدث: يبقى في القيد {}، ويُحجب نص حر منه بالأمر `yesser withheld propose`.",
                "The event was accepted: log entry {} keeps it. Free texts of it are withheld with"
                " `yesser withheld propose`.",
            ).format(self.accepted_index)


@click.command("erase")
@click.argument("topic")
@click.argument("offset", type=click.IntRange(min=0))
@click.option("--yes", is_flag=True, help="Delete; without this option, only show what would be deleted.")
@break_glass_option
@json_option
@click.pass_context
def erase_command(
    context: click.Context, topic: str, offset: int, yes: bool, break_glass: str | None, as_json: bool
) -> None:
    """Delete the record at OFFSET of an agency's TOPIC, and all records before it, which have their verdicts.

    For personal data that cannot wait until the topic ages. Without --yes, only show what would be deleted. Needs two
    people, once there is a second administrator.
    Exit code 1: nothing was done.
    """
    settings = Settings().acting_as("operator")
    record = with_database(settings, "erase", lambda connection: look_up(connection, settings, topic, offset))
    if not as_json:
        print_localized(in_lines(record.sentences()))
    if yes:
        permitted(settings, "erase", {"topic": topic, "offset": offset}, break_glass)
        with_database(settings, "erase", lambda connection: erase(connection, settings, record))
    document = {**asdict(record), "records": record.records, "erased": yes}
    print_confirmation(document, as_json, Bilingual("حُذفت.", "They are deleted.") if yes else NOTHING_DONE)
    context.exit(ExitCode.OK if yes else ExitCode.ANSWER_IS_NO)


async def look_up(connection: Connection, settings: Settings, topic: str, offset: int) -> Erasure:
    """What erasing this record would delete. Raises `CannotErase` for a record without a verdict."""
    next_offset = await connection.fetchval(_SQL["next_offset"], topic)
    if not is_agency_topic(topic) or next_offset is None:
        raise CannotErase(f"{topic} is not the topic of a registered agency: `yesser agencies list` shows them.")
    if offset >= next_offset:
        raise CannotErase(
            f"the record at offset {offset} of {topic} has no verdict yet: the registrar has read up to {next_offset}."
            " Erased now, it would be lost: wait until it is read."
        )
    first = await first_offset(settings, topic)
    if first is None:
        raise CannotErase(f"{topic} does not exist in Kafka: there is nothing to erase.")
    refusal = await connection.fetchrow(_SQL["refusal"], f"{topic}/0/{offset}")
    if refusal is not None:
        return Erasure(topic, offset, first, None, refusal["index"], refusal["is_kept"])
    verdicts = await read_verdicts(connection, topic, [range(offset, offset + 1)])
    return Erasure(topic, offset, first, verdicts.first_index, None, is_kept=False)


async def erase(connection: Connection, settings: Settings, found: Erasure) -> None:
    """Delete it. May be repeated after an error. Kafka is asked as the administrator, the database as the caller."""
    if found.records:
        # Kafka has one right for deleting records and topics; only the administrator has it.
        async with admin_client(settings.acting_as("administrator")) as admin:
            await delete_records(admin, found.topic, found.offset + 1)
    async with connection.transaction():
        await connection.execute(_SQL["erase"], found.address, found.topic, found.offset)
        await add_to_trail(connection, "erase", found.topic, str(found.offset), "--yes")
