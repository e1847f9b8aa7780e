"""`yesser topics delete`: deletes a topic that the platform makes again, unless it holds what is nowhere else.

`yesser.log` and `yesser.checkpoints` are copies, but after an older copy of the database was restored they are what
`yesser recover` needs. What agencies sent is never deleted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import click
from aiokafka.errors import UnknownTopicOrPartitionError

from consumers.registrar.guards.checkpoint_topic import read_topic_checkpoints
from consumers.registrar.guards.continuation import newest, read_last_checkpoint
from consumers.registrar.shipper import read_tail
from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.command_line.database import with_database
from infra.command_line.exit_codes import ExitCode
from infra.command_line.output import json_option, print_confirmation
from infra.kafka.admin import admin_client, delete_topics
from infra.log.key_history import KeyHistory
from infra.log.ports.postgres_port import PostgresPort
from infra.log.reader import log_size
from infra.log.signed_note import Checkpoint, InvalidNote
from infra.postgres.connection import Connection
from infra.postgres.trail import add_to_trail
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings

_GIVE_UP: Final = "To give it up, as with two databases of one log (docs/runbook.md), add `--give-up {}`."


class CannotDelete(YesserError):
    """The topic is not deleted; the message says why."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a topic holds: `held` entries, or the size of its newest checkpoint, where `elsewhere` has so many."""

    topic: str
    held: int
    elsewhere: int


@click.group()
def topics() -> None:
    """Delete a topic of the platform, which makes it again."""


@topics.command("delete")
@click.argument("topic")
@click.option(
    "--give-up", type=click.IntRange(min=0), metavar="SIZE", help="Also what only this topic has, from SIZE on."
)
@click.option("--yes", is_flag=True, help="Delete; without this option, only say whether it can be.")
@json_option
@click.pass_context
def delete_command(context: click.Context, topic: str, give_up: int | None, yes: bool, as_json: bool) -> None:
    """Delete TOPIC: the log's, that of its checkpoints, or one of triggers. The registrar or the relay makes it again;
    yesser.log is then filled from the database.

    Refused where the topic holds what is nowhere else: entries that the database lacks, or a checkpoint that is newer
    than the file beside the key. Exit code 1: nothing was done.
    """
    settings = Settings()
    found = with_database(
        settings.acting_as("auditor"), "topics", lambda connection: look_at(connection, settings, topic)
    )
    require_elsewhere(settings, found, give_up)
    if yes:
        with_database(settings.acting_as("operator"), "topics", lambda connection: delete(connection, settings, found))
    deleted = Bilingual("حُذف {}.", "{} is deleted.").format(topic)
    not_deleted = Bilingual("لم يُفعل شيء: أضف --yes.", "It can be deleted. Nothing was done: add --yes.")
    print_confirmation({**asdict(found), "deleted": yes}, as_json, deleted if yes else not_deleted)
    context.exit(ExitCode.OK if yes else ExitCode.ANSWER_IS_NO)


async def look_at(connection: Connection, settings: Settings, topic: str) -> Held:
    """What the topic holds. Raises `CannotDelete` for one that is not the platform's to make again."""
    settings = settings.acting_as("auditor")
    if topic == settings.log_topic:
        return Held(topic, await _entries_in_topic(settings), await log_size(connection))
    if topic == settings.checkpoints_topic:
        history = await PostgresPort(connection, read_verifier(settings, None)).keys()
        signed = _signed(await read_topic_checkpoints(settings), history)
        in_file = read_last_checkpoint(settings.log_folder, history)
        return Held(topic, _size(newest(signed)), _size(in_file))
    if topic == settings.triggers_topic or topic.startswith(f"{settings.triggers_topic}."):
        return Held(topic, 0, 0)
    raise CannotDelete(
        f"{topic} is none of {settings.log_topic}, {settings.checkpoints_topic} and {settings.triggers_topic}…: only"
        " these are made again. A record of an agency's topic is deleted with `yesser erase`"
    )


def require_elsewhere(settings: Settings, found: Held, give_up: int | None) -> None:
    """Raise `CannotDelete` where the topic holds more than what `give_up` names."""
    if found.held <= found.elsewhere or give_up == found.elsewhere:
        return
    if found.topic == settings.log_topic:
        entries = f"{found.elsewhere} to {found.held - 1}"
        what = f"it holds entries {entries}, and the database does not: run `yesser recover` first"
    else:
        what = (
            f"it holds a checkpoint of size {found.held}, and the file beside the key on this machine"
            f" {f'one of size {found.elsewhere}' if found.elsewhere else 'none'}: run this where the file is newest, or"
            " restore the file"
        )
    raise CannotDelete(f"{found.topic} is not deleted: {what}. {_GIVE_UP.format(found.elsewhere)}")


async def delete(connection: Connection, settings: Settings, found: Held) -> None:
    """Delete it. Only Kafka's administrator may."""
    async with admin_client(settings.acting_as("administrator")) as admin:
        await delete_topics(admin, [found.topic])
    given_up = [f"--give-up {found.elsewhere}"] if found.held > found.elsewhere else []
    await add_to_trail(connection, "topics", "delete", found.topic, *given_up)


async def _entries_in_topic(settings: Settings) -> int:
    try:
        last_index, _ = await read_tail(settings)
    except UnknownTopicOrPartitionError:
        return 0
    return last_index + 1


def _signed(values: Sequence[bytes], history: KeyHistory) -> list[Checkpoint]:
    """This log's checkpoints; what others wrote there is no reason to keep it."""
    found = []
    for value in values:
        try:
            found.append(history.parse_checkpoint(value.decode()))
        except (InvalidNote, UnicodeDecodeError):
            continue
    return found


def _size(checkpoint: Checkpoint | None) -> int:
    return 0 if checkpoint is None else checkpoint.size
