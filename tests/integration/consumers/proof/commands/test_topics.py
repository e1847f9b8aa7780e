"""`yesser topics delete` on the real Kafka: a copy goes, the only source of something stays."""

from __future__ import annotations

import pytest

from consumers.proof.commands.topics_command import (
    CannotDelete,
    Copies,
    NoSuchTopic,
    Purpose,
    delete,
    look_at,
    require_elsewhere,
    topic_rows,
)
from consumers.registrar.guards.continuation import write_checkpoint
from infra.log.signed_note import checkpoint_text, sign_note
from infra.postgres.connection import Connection
from infra.private_keys.key_files import load_or_create_keys, log_key_files
from infra.settings import Settings
from tests.world.commands import yesser, yesser_json
from tests.world.logs import grow, ship
from tests.world.registrars import found, registrar, until_shipped, until_size
from tests.world.topics import make_topics
from tests.world.waits import running, until


async def deleted(connection: Connection, settings: Settings, topic: str, give_up: int | None = None) -> None:
    there = await look_at(connection, settings, topic)
    require_elsewhere(settings, there, give_up)
    await delete(connection, settings, there)


async def test_a_topic_stays_while_the_database_lacks_its_entries(settings: Settings, connection: Connection) -> None:
    for topic in ("agency.health.events", "agency.platform.events", "somebodys"):
        with pytest.raises(CannotDelete, match="only these are made again"):
            await look_at(connection, settings, topic)
    await make_topics(settings)
    await grow(settings, 3)
    await ship(settings, range(5))
    needed = f"{settings.log_topic} is not deleted: it holds entries 3 to 4, .*`yesser recover` first.*--give-up 3"
    for give_up in (None, 2, 4, 5):
        with pytest.raises(CannotDelete, match=needed):
            await deleted(connection, settings, settings.log_topic, give_up)
    with pytest.raises(CannotDelete, match="it holds the texts of entries 3 to 4, and the database does not"):
        await deleted(connection, settings, settings.texts_topic)
    assert (await look_at(connection, settings, settings.log_topic)).held == 5
    await deleted(connection, settings, settings.log_topic, 3)
    trail = await connection.fetchval("SELECT command FROM platform.trail")
    assert trail == f"topics delete {settings.log_topic} --give-up 3"
    assert (await look_at(connection, settings, settings.log_topic)).held == 0
    await make_topics(settings)
    await ship(settings, range(3))
    await deleted(connection, settings, settings.log_topic)
    assert (await look_at(connection, settings, settings.log_topic)).held == 0, "the database has them"


async def test_a_registrar_makes_what_was_deleted_again(settings: Settings, connection: Connection) -> None:
    await found(settings)
    async with running(registrar(settings)):
        await until_size(connection, 2)
        await until_shipped(connection, 2)
        await deleted(connection, settings, settings.log_topic)
        await deleted(connection, settings, settings.checkpoints_topic)

        async def is_back() -> bool:
            there = [await look_at(connection, settings, t) for t in (settings.log_topic, settings.checkpoints_topic)]
            return [one.held for one in there] == [2, 2]

        await until(is_back, "both topics are filled again")
    rows = {row.topic: row for row in await topic_rows(settings)}
    own, agency = rows[settings.log_topic], rows["agency.platform.events"]
    assert (own.purpose, own.end_offset, own.state, own.can_be_deleted) == (Purpose.LOG, 2, Copies.IN_SYNC, True)
    assert (agency.purpose, agency.can_be_deleted) == (Purpose.AGENCY, False)
    assert (agency.agency, own.agency) == ("platform", None)
    texts = rows[settings.texts_topic]
    assert (texts.purpose, texts.can_be_deleted) == (Purpose.TEXTS, True)
    code, shown = await yesser_json(settings, "topics", "describe", settings.checkpoints_topic)
    assert (code, shown["held"], shown["elsewhere"]) == (0, 2, 2)
    assert isinstance((await yesser(settings, "topics", "describe", "somebodys")).exception, NoSuchTopic)
    for typed, code in (("", 1), ("yesser.lob\n", 1), (f"{settings.log_topic}\n", 0)):
        result = await yesser(settings, "topics", "delete", settings.log_topic, typed=typed)
        assert (result.exit_code, "makes it again" in result.stdout) == (code, code == 0), (typed, result.output)
    key = load_or_create_keys(log_key_files(settings)).current
    write_checkpoint(settings.log_folder, sign_note(checkpoint_text(key.name, 1, bytes(32)), [key]))
    with pytest.raises(CannotDelete, match=r"a checkpoint of size 2, .* one of size 1"):
        await deleted(connection, settings, settings.checkpoints_topic)
    (settings.log_folder / "checkpoint").unlink()
    with pytest.raises(CannotDelete, match=r"a checkpoint of size 2, .* none"):
        await deleted(connection, settings, settings.checkpoints_topic)
