"""The rotation of the log's key under load, and every state of files and database around it."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.pinned_checkpoint import ForkedLog, require_rotations
from consumers.proof.audit.port import MirrorPort
from infra.log.key_history import parse_transition, sign_transition
from infra.log.ports.postgres_port import PostgresPort
from infra.log.ports.tree import WrongTree, require_tree
from infra.log.reader import log_size, read_tree
from infra.log.signed_note import (
    InvalidNote,
    LogKey,
    Verifier,
    checkpoint_text,
    parse_checkpoint,
    sign_note,
    signers_of,
)
from infra.postgres.connection import Connection
from infra.private_keys.key_files import NextKey, load_keys, log_key_files, write_next
from infra.settings import Settings
from tests.world.records import said
from tests.world.registrars import (
    at_work,
    checkpoints,
    found,
    registrar,
    rotate,
    until_halted,
    until_signed,
    until_size,
)
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running, until


async def until_grown(connection: Connection, size: int) -> None:
    grown = "SELECT size >= $1 FROM log.state"
    await until(lambda: connection.fetchval(grown, size), f"the log has {size} entries or more")


def signed_by(note: str, key: Verifier) -> bool:
    try:
        return signers_of(note, [key])[1] == [key]
    except InvalidNote:
        return False


async def test_the_key_changes_and_verifiers_follow(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    await found(settings, "health")
    settings = settings.model_copy(update={"checkpoint_interval_ms": 50})
    sending = True

    async def load() -> int:
        sent = 0
        while sending:
            await send(settings, HEALTH_TOPIC, *(said(f"e{sent + i}") for i in range(10)))
            sent += 10
        return sent

    async with running(registrar(settings)):
        await until_size(connection, 3)
        loading = asyncio.create_task(load())
        await until_grown(connection, 50)
        await until_signed_twice(connection)
        first = load_keys(log_key_files(settings)).history.current
        port = PostgresPort(connection, first)
        await write_mirror(port, tmp_path / "first", first)
        ring = await rotate(settings)
        size = ring.history.transitions[0].size
        await until_grown(connection, size + 50)
        await until_signed_twice(connection, above=size)
        await write_mirror(port, tmp_path / "first", first)  # continues across the rotation
        sending = False
        sent = await loading
        await until_size(connection, 3 + sent)
        await until_signed(connection)
    second = ring.history.current
    found_notes = await checkpoints(connection)
    assert len([s for s, _ in found_notes if s <= size]) > 1
    assert len([s for s, _ in found_notes if s > size]) > 1
    for at, note in found_notes:
        assert signed_by(note, first), "in the overlap the old key signs too"
        assert signed_by(note, second) or at <= size
    for known in (first, second):
        await write_mirror(PostgresPort(connection, known), tmp_path / f"mirror {known.key_id.hex()}", known)
        for folder in (tmp_path / "first", tmp_path / f"mirror {known.key_id.hex()}"):
            mirror = MirrorPort(folder, known)
            checkpoint = await mirror.checkpoint()
            await require_tree(mirror, checkpoint.size, checkpoint.root)
            await require_rotations(mirror, await mirror.keys(), checkpoint)
            assert parse_checkpoint(checkpoint.note, known) == checkpoint, "one vkey is enough in the overlap"


async def until_signed_twice(connection: Connection, above: int = 0) -> None:
    signed = "SELECT count(*) > 1 FROM log.checkpoint WHERE size > $1"
    await until(lambda: connection.fetchval(signed, above), f"two checkpoints above {above}")


async def test_without_an_overlap_only_the_new_key_signs_and_old_mirrors_and_older_databases_go_on(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    async with at_work(settings, connection, "health"):
        await until_signed(connection)
        first = load_keys(log_key_files(settings)).history.current
        await write_mirror(PostgresPort(connection, first), tmp_path / "mirror", first)
        ring = await rotate(settings, overlap_days=0)
        await send(settings, HEALTH_TOPIC, said("a"))
        await until_size(connection, 4)
        await until_signed(connection)
        _, note = (await checkpoints(connection))[-1]
        assert signed_by(note, ring.history.current)
        assert not signed_by(note, first)
        for known in ring.history.keys:
            await write_mirror(PostgresPort(connection, known), tmp_path / "mirror", known)
            assert (await MirrorPort(tmp_path / "mirror", known).checkpoint()).note == note
        # The next rotation needs a log that has grown, and then replaces the second key.
        ring = await rotate(settings, overlap_days=0)
        assert len(ring.history.transitions) == 2
    # As a backup from just before it: the row is not there yet, and the newest checkpoint is the old key's.
    await connection.execute("ALTER TABLE log.key_history DISABLE TRIGGER append_only")
    await connection.execute("DELETE FROM log.key_history WHERE number = 2")
    async with running(registrar(settings)):
        await send(settings, HEALTH_TOPIC, said("b"))
        await until_size(connection, 5)
        await until_signed(connection)
    assert (await PostgresPort(connection, first).checkpoint()).size == 5
    rows = await connection.fetch("SELECT note FROM log.key_history ORDER BY number")
    assert [parse_transition(row["note"]) for row in rows] == list(ring.history.transitions)


async def test_a_checkpoint_of_the_replaced_key_alone_halts(settings: Settings, connection: Connection) -> None:
    async with at_work(settings, connection, "health"):
        await until_signed(connection)
        ring = await rotate(settings)
    stolen = ring.previous
    assert stolen is not None
    await send(settings, HEALTH_TOPIC, said("a"))
    root = (await read_tree(connection, await log_size(connection))).root()
    forged = sign_note(checkpoint_text(stolen.name, 1_000, root), [stolen])
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES (1000, $1)", forged)
    one = registrar(settings)
    async with running(one):
        assert "at this size" in await until_halted(one)
    assert await log_size(connection) == 3
    with pytest.raises(InvalidNote, match="is in force"):
        await PostgresPort(connection, ring.history.keys[0]).checkpoint()


async def test_a_history_of_another_tree_halts(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    async with at_work(settings, connection, "health"):
        await until_signed(connection)
        key = load_keys(log_key_files(settings)).current
        await write_mirror(PostgresPort(connection, key.verifier), tmp_path / "mirror", key.verifier)
    other = LogKey(key.name, os.urandom(32))
    step = sign_transition(key, other, datetime.now(UTC), (3, bytes(32)))
    await connection.execute("INSERT INTO log.key_history (number, size, note) VALUES (1, 3, $1)", step.note)
    write_next(log_key_files(settings), NextKey(other))
    one = registrar(settings)
    async with running(one):
        assert "do not give the root" in await until_halted(one)
    port = PostgresPort(connection, other.verifier)
    history = await port.keys()
    with pytest.raises(WrongTree, match="took over"):
        await require_rotations(port, history, await port.checkpoint())
    with pytest.raises((WrongTree, ForkedLog, InvalidNote)):
        await write_mirror(port, tmp_path / "mirror", other.verifier)
