"""Where the database and the topic of texts are both lost, a mirror gives the texts back, and only the right ones."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import orjson

from consumers.proof.audit.mirror import write_mirror
from consumers.proof.commands.recovery import folder_source, folder_texts, recover_from
from consumers.registrar.recovery.recover import topic_source
from events.wire.texts import text_sha256
from infra.log.layout import texts_path
from infra.log.ports.postgres_port import PostgresPort
from infra.log.reader import read_checked
from infra.log.texts import with_texts
from infra.postgres.connection import connected
from infra.private_keys.key_files import load_keys, log_key_files
from infra.settings import Settings
from tests.world.logs_with_texts import service_suspended
from tests.world.records import withheld
from tests.world.registrars import copy_of_database, found, registrar, until_shipped, until_signed, until_size
from tests.world.topics import HEALTH_TOPIC, PLATFORM_TOPIC, drop_topic, send
from tests.world.waits import running


def lying_copy(mirror: Path) -> Path:
    """A copy whose texts are others, each with a hash that it gives."""
    copy = mirror.with_name("lying")
    shutil.copytree(mirror, copy)
    file = copy / texts_path(0)
    rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    for row in rows:
        row["text"] = '{"ar":"x","en":"lies"}'
        row["sha256"] = text_sha256(bytes.fromhex(row["salt"]), row["text"].encode()).hex()
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return copy


async def test_texts_come_back_from_a_mirror_as_their_entries_have_them_and_none_that_was_withheld_since(
    settings: Settings, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    async with copy_of_database(settings) as empty:
        await found(settings, "health")
        async with connected(settings, "watching") as watching, running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, *(service_suspended(f"e{i}", name) for i, name in enumerate(NAMES)))
            await until_size(watching, 6)
            await until_signed(watching, 6)
            verifier = load_keys(log_key_files(settings)).current.verifier
            await write_mirror(PostgresPort(watching, verifier), mirror, verifier)
            await send(settings, PLATFORM_TOPIC, withheld(4, "reason"))
            await until_size(watching, 7)
            await until_signed(watching, 7)
            await until_shipped(watching, 7)
        await drop_topic(settings, settings.texts_topic)
        damaged = tmp_path / "damaged"
        shutil.copytree(mirror, damaged)
        (damaged / texts_path(0)).write_bytes(b"{")
        folders = [damaged, lying_copy(mirror), mirror]
        assert all(b"Huda" in (folder / texts_path(0)).read_bytes() for folder in folders[2:]), "it does not forget"
        recovered = await recover_from(
            empty,
            [folder_source(mirror), topic_source(empty)],
            texts=[partial(folder_texts, folder) for folder in folders],
            unsigned=False,
        )
        assert (recovered.size, recovered.lost_texts) == (7, 0)
        async with connected(empty, "watching") as watching:
            shown = await with_texts(watching, await read_checked(watching, 3, 3))
            kept = await watching.fetch("SELECT index, salt IS NOT NULL FROM log.text ORDER BY index")
    assert [name.encode() in raw for name, raw in zip(NAMES, shown, strict=True)] == [True, False, True]
    assert b"by entry 6." in shown[1]
    assert list(map(tuple, kept)) == [(3, True), (4, False), (5, True)]


async def test_refused_records_of_the_copy_and_of_the_topic_with_a_text_that_is_withheld_do_not_stay(
    settings: Settings,
) -> None:
    refused = service_suspended("one", "Sara").replace(b'"2005-05-05"', b'"2005-02-30"')
    await found(settings, "health")
    async with connected(settings, "watching") as watching, running(registrar(settings)):
        await send(settings, HEALTH_TOPIC, service_suspended("one", "Sara"), refused, b"{")
        await until_size(watching, 6)
    async with copy_of_database(settings) as copy:
        async with connected(settings, "watching") as watching, running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, refused.replace(b'"one"', b'"two"'))
            await until_size(watching, 7)
            await send(settings, PLATFORM_TOPIC, withheld(3, "reason"))
            await until_size(watching, 8)
            await until_shipped(watching, 8)
        recovered = await recover_from(copy, [topic_source(copy)], unsigned=True)
        assert (recovered.size_before, recovered.size) == (6, 8)
        async with connected(copy, "watching") as watching:
            kept = [row["value"] for row in await watching.fetch("SELECT value FROM log.dead_letter")]
            assert kept == [b"{"]
            assert await watching.fetchval("SELECT withheld_index FROM log.text") == 7


NAMES = ("Sara", "Huda", "Mona")
