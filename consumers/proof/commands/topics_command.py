"""`yesser topics`: what there is on Kafka; and the deletion of a topic that the platform makes again, unless it holds
what is nowhere else.

`yesser.log`, `yesser.texts` and `yesser.checkpoints` are copies, but after an older copy of the database was restored
they are what `yesser recover` needs. What agencies sent is never deleted here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Annotated, Any, Final

import click
from aiokafka.errors import UnknownTopicOrPartitionError
from msgspec import Struct
from msgspec.structs import asdict as asdict_of

from consumers.documents.document import AgencyCode, Label, Labelled, Listing
from consumers.documents.tables import grid
from consumers.registrar.guards.continuation import newest, read_last_checkpoint, read_topic_checkpoints
from consumers.registrar.shipper import read_tail
from consumers.replay.as_of.query import print_list, show_names_in
from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.command_line.database import with_database
from infra.command_line.display import show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.kafka.admin import admin_client, delete_topics, own_config
from infra.kafka.client_config import agency_of, is_agency_topic
from infra.kafka.end_offsets import end_offsets_reader
from infra.log.key_history import KeyHistory
from infra.log.ports.postgres_port import PostgresPort
from infra.log.reader import log_size
from infra.log.signed_note import Checkpoint, InvalidNote
from infra.postgres.connection import Connection
from infra.postgres.trail import add_to_trail
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings

_GIVE_UP: Final = "To give it up, as with two databases of one log (docs/runbook.md), add `--give-up {}`."


class NoSuchTopic(YesserError):
    """Kafka has no such topic: `yesser topics list` names those that there are."""


class CannotDelete(YesserError):
    """The topic is not deleted; the message says why."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a topic holds: `held` entries, or the size of its newest checkpoint, where `elsewhere` has so many."""

    topic: str
    held: int
    elsewhere: int


class Purpose(Labelled):
    LOG = "log", "السجل الوطني، نسخة من قاعدة البيانات", "The national log, copied from the database"
    CHECKPOINTS = "checkpoints", "نقاط التحقق الموقَّعة", "Signed checkpoints"
    TEXTS = "texts", "النصوص الحرة، نسخة من قاعدة البيانات", "Free texts, copied from the database"
    AGENCY = "agency", "ما أرسلته جهة", "What an agency sent"
    TRIGGERS = "triggers", "حملات لفِرق التوعية", "Campaigns for teams"
    OTHER = "other", "ليس للمنصة", "Not the platform's"


class Copies(Labelled):
    IN_SYNC = "in-sync", "متزامنة", "in sync", "good"
    BEHIND = "behind", "بعضها متأخر", "some behind", "late"
    NO_LEADER = "no-leader", "لا قائد", "no leader", "bad"


class TopicRow(Struct, frozen=True, kw_only=True):
    """A topic on Kafka. `end_offset`: that of the next record; None where no broker leads it."""

    topic: Annotated[str, Label("الموضوع", "Topic")]
    purpose: Annotated[Purpose, Label("الغرض", "Purpose", drop=1)]
    agency: Annotated[AgencyCode | None, Label("الجهة", "Agency", drop=4)]
    end_offset: Annotated[int | None, Label("الإزاحة التالية", "Next offset")]
    copies: Annotated[int, Label("النسخ", "Copies", drop=2)]
    state: Annotated[Copies, Label("حالة النسخ", "State of copies")]
    can_be_deleted: Annotated[bool, Label("يُحذف ويُنشأ من جديد", "Can be deleted", drop=3)]


_TOPICS: Final = Listing("مواضيع كافكا", "Topics on Kafka", TopicRow)
_NEXT: Final = {
    Purpose.LOG: Bilingual(
        "ينشئه المسجِّل من جديد ويملؤه من قاعدة البيانات: `yesser topics describe {}` و`yesser status`.",
        "The registrar makes it again and fills it from the database: `yesser topics describe {}`, `yesser status`.",
    ),
    Purpose.TEXTS: Bilingual(
        "ينشئه المسجِّل من جديد ويملؤه من قاعدة البيانات: `yesser topics describe {}`.",
        "The registrar makes it again and fills it from the database: `yesser topics describe {}`.",
    ),
    Purpose.CHECKPOINTS: Bilingual(
        "ينشئه المسجِّل من جديد من الملف المجاور للمفتاح: `yesser topics describe {}`.",
        "The registrar makes it again from the file beside the key: `yesser topics describe {}`.",
    ),
    Purpose.TRIGGERS: Bilingual(
        "ينشئه المرسِل مع الحملة التالية. ولا يعيد ما سبق إرساله إلى {}: راجع دليل التشغيل.",
        "The relay makes it again with the next campaign. It does not send again what was sent to {}: see the runbook.",
    ),
}


@click.group()
def topics() -> None:
    """List and describe the topics, and delete one that the platform makes again."""


@topics.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the topics on Kafka: what each is for, where it ends, and whether its copies are in sync."""
    rows = asyncio.run(topic_rows(Settings()))
    print_list(_TOPICS, rows, as_json)


@topics.command("describe")
@click.argument("topic")
@json_option
@click.pass_context
def describe_command(context: click.Context, topic: str, as_json: bool) -> None:
    """Show a TOPIC: its copies, its settings, and, where the platform makes it again, whether it holds what is nowhere
    else. Exit code 1: there is no such topic."""
    settings = Settings()
    rows = asyncio.run(topic_rows(settings, topic))
    if not rows:
        raise NoSuchTopic(f"{topic}: {NoSuchTopic.__doc__}")
    (row,), found = rows, None
    if row.can_be_deleted:
        found = with_database(settings.acting_as("auditor"), "topics", lambda one: look_at(one, settings, topic))
    own = asyncio.run(_settings_of(settings, topic))
    document = {**asdict_of(row), "settings": own, "held": found and found.held, "elsewhere": found and found.elsewhere}
    print_result(document, as_json, lambda: _show_topic(row, own, found), indented=True)


def _show_topic(row: TopicRow, own: dict[str, str], found: Held | None) -> None:
    show_names_in([row])
    show(grid(_TOPICS, [row]))
    click.echo("\n".join(f"{name} = {value}" for name, value in sorted(own.items())))
    if found is not None:
        held = Bilingual("فيه {:,}، وفي غيره {:,}.", "It holds {:,}; elsewhere there are {:,}.")
        print_localized(held.format(found.held, found.elsewhere))


async def topic_rows(settings: Settings, *names: str) -> list[TopicRow]:
    """The topics of these names, or all but Kafka's own."""
    settings = settings.acting_as("administrator")
    async with admin_client(settings) as admin, end_offsets_reader(settings) as ends:
        there = {name for name in await admin.list_topics() if not name.startswith("__")}
        wanted = sorted(there.intersection(names) if names else there)
        described = await admin.describe_topics(wanted) if wanted else []
        led = [row["topic"] for row in described if all(one["leader"] >= 0 for one in row["partitions"])]
        found = await ends(sorted(led)) if led else {}
    return [_topic_row(settings, row, found.get(row["topic"])) for row in sorted(described, key=itemgetter("topic"))]


def _topic_row(settings: Settings, row: Mapping[str, Any], end: int | None) -> TopicRow:
    topic, partitions = row["topic"], row["partitions"]
    purpose = purpose_of(settings, topic)
    code = agency_of(topic) if purpose is Purpose.AGENCY else topic.removeprefix(settings.triggers_topic)[1:]
    in_sync = all(len(one["isr"]) == len(one["replicas"]) for one in partitions)
    return TopicRow(
        topic=topic,
        purpose=purpose,
        agency=code if code and purpose in (Purpose.AGENCY, Purpose.TRIGGERS) else None,
        end_offset=end,
        copies=min((len(one["replicas"]) for one in partitions), default=0),
        state=Copies.NO_LEADER if end is None else Copies.IN_SYNC if in_sync else Copies.BEHIND,
        can_be_deleted=purpose in _NEXT,
    )


def purpose_of(settings: Settings, topic: str) -> Purpose:
    if topic == settings.triggers_topic or topic.startswith(f"{settings.triggers_topic}."):
        return Purpose.TRIGGERS
    own = {
        settings.log_topic: Purpose.LOG,
        settings.checkpoints_topic: Purpose.CHECKPOINTS,
        settings.texts_topic: Purpose.TEXTS,
    }
    return own.get(topic, Purpose.AGENCY if is_agency_topic(topic) else Purpose.OTHER)


async def _settings_of(settings: Settings, topic: str) -> dict[str, str]:
    async with admin_client(settings.acting_as("administrator")) as admin:
        return await own_config(admin, topic)


@topics.command("delete")
@click.argument("topic")
@click.option(
    "--give-up", type=click.IntRange(min=0), metavar="SIZE", help="Also what only this topic has, from SIZE on."
)
@click.option("--yes", is_flag=True, help="Delete it without asking for its name.")
@json_option
@click.pass_context
def delete_command(context: click.Context, topic: str, give_up: int | None, yes: bool, as_json: bool) -> None:
    """Delete TOPIC: the log's, that of its texts or checkpoints, or one of triggers. The registrar or the relay makes
    it again; yesser.log and yesser.texts are then filled from the database.

    It asks for the topic's name again, except with --yes or --json. Refused where the topic holds what is nowhere else:
    entries or texts that the database lacks, or a checkpoint that is newer than the file beside the key.

    Exit code 1: nothing was done.
    """
    settings = Settings()
    found = with_database(
        settings.acting_as("auditor"), "topics", lambda connection: look_at(connection, settings, topic)
    )
    require_elsewhere(settings, found, give_up)
    question = Bilingual("اكتب {} مرة أخرى لحذفه", "Type {} again to delete it").format(topic)
    if not yes and not as_json:
        with suppress(click.Abort):  # ctrl-C, or nobody types
            yes = click.prompt(localized(question), default="", show_default=False, err=True) == topic
    if yes:
        with_database(settings.acting_as("operator"), "topics", lambda connection: delete(connection, settings, found))
    then = _NEXT[purpose_of(settings, topic)].format(topic)
    deleted = Bilingual("حُذف {}. {}", "{} is deleted. {}").format(topic, then)
    not_deleted = Bilingual(
        "يمكن حذفه. لم يُفعل شيء: اكتب اسمه أو أضف --yes.",
        "It can be deleted. Nothing was done: type its name, or add --yes.",
    )
    print_confirmation({**asdict(found), "deleted": yes}, as_json, deleted if yes else not_deleted)
    context.exit(ExitCode.OK if yes else ExitCode.ANSWER_IS_NO)


async def look_at(connection: Connection, settings: Settings, topic: str) -> Held:
    """What the topic holds. Raises `CannotDelete` for one that is not the platform's to make again."""
    settings = settings.acting_as("auditor")
    if topic in (settings.log_topic, settings.texts_topic):
        # Nobody may read the texts here; those of an entry come before it.
        return Held(topic, await _entries_in_topic(settings), await log_size(connection))
    if topic == settings.checkpoints_topic:
        history = await PostgresPort(connection, read_verifier(settings, None)).keys()
        signed = _signed(await read_topic_checkpoints(settings), history)
        in_file = read_last_checkpoint(settings.log_folder, history)
        return Held(topic, _size(newest(signed)), _size(in_file))
    if purpose_of(settings, topic) is Purpose.TRIGGERS:
        return Held(topic, 0, 0)
    raise CannotDelete(
        f"{topic} is none of {settings.log_topic}, {settings.texts_topic}, {settings.checkpoints_topic} and"
        f" {settings.triggers_topic}…: only these are made again. A record of an agency's topic is deleted with `yesser"
        " erase`"
    )


def require_elsewhere(settings: Settings, found: Held, give_up: int | None) -> None:
    """Raise `CannotDelete` where the topic holds more than what `give_up` names."""
    if found.held <= found.elsewhere or give_up == found.elsewhere:
        return
    if found.topic != settings.checkpoints_topic:
        entries = f"{found.elsewhere} to {found.held - 1}"
        of = "entries" if found.topic == settings.log_topic else "the texts of entries"
        what = f"it holds {of} {entries}, and the database does not: run `yesser recover` first"
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
