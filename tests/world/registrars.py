"""Registrars at work in this process, the log that they write, and what must be true of it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from consumers.registrar.batch import NO_MARK
from consumers.registrar.guards.continuation import checkpoints_of, read_last_checkpoint, read_topic_checkpoints
from consumers.registrar.journal import ReadPosition
from consumers.registrar.reader import Reader
from consumers.registrar.registrar import Registrar
from events.wire.entry import Entry, parse_entry
from infra.log.merkle import TileTree, leaf_hash
from infra.log.reader import log_size, read_checked, read_leaves, read_tree
from infra.log.signed_note import Checkpoint, LogKey
from infra.postgres.connection import Connection, connected
from infra.private_keys.key_files import KeyRing, NextKey, load_keys, log_key_files, write_next
from infra.settings import Settings
from tests.corners import drop_database, execute
from tests.stack import superusers_address, with_database
from tests.world.records import registered
from tests.world.topics import PLATFORM_TOPIC, make_topics, records, send
from tests.world.waits import PATIENCE_S, running, until

BEGINNING = ReadPosition(0, NO_MARK, None)


def registrar(settings: Settings) -> Registrar:
    return Registrar(settings, lambda: datetime.now(UTC))


async def found(settings: Settings, *codes: str) -> None:
    """The first two entries, and the registration of agencies, as claims of the platform."""
    await make_topics(settings, *codes)
    announced = [registered("platform", "platform"), registered("yesser", "office"), *map(registered, codes)]
    await send(settings, PLATFORM_TOPIC, *announced)


@asynccontextmanager
async def reading(settings: Settings, *topics: str) -> AsyncIterator[Reader]:
    """A registrar's reader of these topics, from their beginning on."""
    reader = Reader(settings)
    await reader.consumer.start()
    try:
        await reader.assign(dict.fromkeys(topics, BEGINNING))
        yield reader
    finally:
        await reader.consumer.stop()


@asynccontextmanager
async def at_work(settings: Settings, connection: Connection, *codes: str) -> AsyncIterator[Registrar]:
    """A registrar that has registered the platform, its office and these agencies, and works on."""
    await found(settings, *codes)
    one = registrar(settings)
    async with running(one):
        await until_size(connection, 2 + len(codes))
        yield one


async def founded(settings: Settings, connection: Connection, *codes: str) -> None:
    """The same, and the registrar was stopped."""
    async with at_work(settings, connection, *codes):
        pass


async def until_size(connection: Connection, size: int) -> None:
    await until(lambda: connection.fetchval("SELECT size >= $1 FROM log.state", size), f"the log has {size} entries")
    assert await log_size(connection) == size


async def until_shipped(connection: Connection, size: int) -> None:
    query = "SELECT shipped_up_to >= $1 FROM log.state"
    await until(lambda: connection.fetchval(query, size), f"{size} entries are shipped")


async def until_signed(connection: Connection, size: int | None = None) -> None:
    """A checkpoint of this size, or of the log's, is in the database."""
    query = "SELECT max(size) >= coalesce($1, (SELECT size FROM log.state)) FROM log.checkpoint"
    await until(lambda: connection.fetchval(query, size), f"a checkpoint of {size or 'the whole log'} is signed")


async def until_read(connection: Connection, topic: str, next_offset: int, patience_s: float = PATIENCE_S) -> None:
    """The records of a topic below this offset have verdicts."""
    query = "SELECT next_offset >= $2 FROM log.read_position WHERE topic = $1"
    what = f"{next_offset} records of {topic} are read"
    await until(lambda: connection.fetchval(query, topic, next_offset), what, patience_s)


async def until_ready(one: Registrar, role: str | None = None) -> None:
    def is_ready() -> bool:
        state = one.readiness()
        return state.ready and role in (None, state.details.get("role"))

    await until(is_ready, f"the registrar is ready as {role or 'any'}")


async def until_halted(one: Registrar) -> str:
    """Why the registrar writes nothing more."""
    await until(lambda: one.progress.halted, "the registrar halts")
    assert not one.readiness().ready
    assert one.readiness().healthy, "a restart would not help"
    return one.progress.halted or ""


async def until_alarmed(one: Registrar, words: str) -> None:
    """It says why it is not ready; it may go on."""
    await until(lambda: re.search(words, str(one.readiness().details.get("halted"))), f"it alarms of {words}")


async def until_topic_halted(connection: Connection, topic: str) -> str:
    """Why this topic is not read on."""
    query = "SELECT halted_reason FROM log.read_position WHERE topic = $1"
    await until(lambda: connection.fetchval(query, topic), f"{topic} is halted")
    return (await halts(connection))[topic]


async def halts(connection: Connection) -> dict[str, str]:
    """The topics that are halted, each with its reason."""
    rows = await connection.fetch("SELECT topic, halted_reason FROM log.read_position WHERE halted_reason IS NOT NULL")
    return {row["topic"]: row["halted_reason"] for row in rows}


async def log_of(connection: Connection) -> list[Entry]:
    """All entries, parsed."""
    raw = await read_checked(connection, 0, await log_size(connection))
    return [parse_entry(i, entry) for i, entry in enumerate(raw)]


async def ids(connection: Connection) -> list[str]:
    return [entry.id for entry in await log_of(connection)]


async def shipped(settings: Settings) -> dict[int, set[bytes]]:
    """Index → the different values that the log's topic holds for it."""
    values: dict[int, set[bytes]] = {}
    for record in await records(settings, settings.log_topic):
        values.setdefault(int(dict(record.headers)["index"]), set()).add(record.value)
    return values


async def require_whole_log(settings: Settings, connection: Connection) -> None:
    """The entries give the tree, each record has one verdict, and the topic holds every entry's bytes."""
    size = await log_size(connection)
    raw = await read_checked(connection, 0, size)
    assert len(raw) == size
    leaves = [leaf_hash(entry) for entry in raw]
    assert await read_leaves(connection, 0, size) == b"".join(leaves)
    tree = TileTree()
    tree.append(leaves)
    assert (await read_tree(connection, size)).root() == tree.root()
    verdicts = await connection.fetch(
        'SELECT topic, count(*) AS judged, count(DISTINCT "offset") AS different, max("offset") + 1 AS next FROM ('
        '  SELECT topic, generate_series(first_offset, first_offset + entries_count - 1) AS "offset" FROM log.run'
        '  UNION ALL SELECT topic, "offset" FROM log.duplicate) v GROUP BY topic'
    )
    for row in verdicts:
        assert row["judged"] == row["different"] == row["next"], row["topic"]
    await until_shipped(connection, size)
    assert await shipped(settings) == {i: {entry} for i, entry in enumerate(raw)}


async def require_consistent(connection: Connection, *homes: Settings) -> None:
    """Every checkpoint in the database, the topic and the files is a prefix of the log."""
    history = load_keys(log_key_files(homes[0])).history
    kept = [history.parse_checkpoint(note) for _, note in await checkpoints(connection)]
    kept += await checkpoints_in_topic(homes[0])
    kept += [c for home in homes if (c := read_last_checkpoint(home.log_folder, history)) is not None]
    assert {c.size: c.root for c in kept} == {c.size: (await read_tree(connection, c.size)).root() for c in kept}
    assert all(len(values) == 1 for values in (await shipped(homes[0])).values()), "no index has two entries"


async def checkpoints(connection: Connection) -> list[tuple[int, str]]:
    """Sizes and notes of those in the database."""
    rows = await connection.fetch("SELECT size, note FROM log.checkpoint ORDER BY size")
    return [(row["size"], row["note"]) for row in rows]


async def checkpoints_in_topic(settings: Settings) -> list[Checkpoint]:
    history = load_keys(log_key_files(settings)).history
    return checkpoints_of(await read_topic_checkpoints(settings), history, settings.checkpoints_topic)


async def rotate(settings: Settings, overlap_days: int = 7) -> KeyRing:
    """Ask the running registrar for a rotation of the log's key, and wait for it."""
    files = log_key_files(settings)
    before = load_keys(files).history.current
    write_next(files, NextKey(LogKey(files.name, os.urandom(32)), overlap_days))
    await until(lambda: load_keys(files).history.current != before, "the registrar rotated its key")
    return load_keys(files)


def second_home(settings: Settings, folder: Path, *, key: bool = True) -> Settings:
    """Settings of another machine on the same services; the operator brings the passwords, and the log's key."""
    shutil.copytree(settings.home / "secrets", folder / "secrets")
    second = settings.model_copy(update={"home": folder})
    if key:
        bring_key(settings, second)
    return second


def bring_key(source: Settings, target: Settings) -> None:
    target.log_folder.mkdir(parents=True)
    for name in ("log.skey", "log.vkey"):
        shutil.copy(source.log_folder / name, target.log_folder / name)


@asynccontextmanager
async def copy_of_database(settings: Settings) -> AsyncIterator[Settings]:
    """Settings of a copy of the database as it is now, to which nobody may be connected."""
    assert settings.postgres is not None
    name, postgres = settings.postgres.rpartition("/")[2], superusers_address(settings)
    await execute(postgres, f"CREATE DATABASE {name}_copy TEMPLATE {name}")
    try:
        yield settings.model_copy(update={"postgres": with_database(settings.postgres, f"{name}_copy")})
    finally:
        await drop_database(postgres, f"{name}_copy")


async def terminate(settings: Settings, application: str) -> int:
    """End the database sessions of a process, as a failing network or an administrator would; how many they were."""
    async with connected(settings, "terminator") as connection:
        ended: int = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name LIKE 'yesser ' || $1 AND datname = current_database()",
            application,
        )
    return ended
