"""The auditor on the log in PostgreSQL: the same answers as from a mirror, and no change goes unseen."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.port import MirrorPort
from events.errors import Tampered
from infra.log.ports.port import NotThere
from infra.log.ports.postgres_port import PostgresPort
from infra.log.proofs import consistency_proof, inclusion_proof, tree_root, verify_consistency
from infra.log.reader import CHOSEN_MAX, ChangedEntry, chosen_entries, read_checked
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.commands import yesser, yesser_json
from tests.world.logs import sign, write_signed_log
from tests.world.memory_log import KEY, MemoryLog, root_of, sample_entries, verified

SIGNED, SIZE = 1000, 1100
ENTRIES = sample_entries(SIZE)


async def test_the_database_answers_like_a_mirror(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    port = PostgresPort(connection, KEY.verifier)
    with pytest.raises(NotThere, match="yesser up"):
        await port.checkpoint()
    await write_signed_log(connection, ENTRIES, SIGNED)
    assert await verified(port) == SIGNED
    for old, new in ((1, 300), (255, 1000), (256, 1100), (777, 1100)):
        roots = [await tree_root(port, size) for size in (old, new)]
        assert roots == [root_of(ENTRIES[:old]), root_of(ENTRIES[:new])]
        assert verify_consistency(old, roots[0], new, roots[1], await consistency_proof(port, old, new))
    assert await inclusion_proof(port, 300, 1100) == await inclusion_proof(MemoryLog(ENTRIES), 300, 1100)

    chance = random.Random(7)
    for count in (0, 1, 2, CHOSEN_MAX, CHOSEN_MAX + 1, SIZE):
        indexes = sorted(chance.sample(range(SIZE), count))
        chosen = [raw async for raw in chosen_entries(connection, indexes, bytes_max=20_000)]
        assert chosen == [(index, ENTRIES[index]) for index in indexes], "from any segments"
    with pytest.raises(ChangedEntry, match=f"^entry {SIZE} "):
        [raw async for raw in chosen_entries(connection, [0, SIZE])]

    settings.log_folder.mkdir(parents=True, exist_ok=True)
    (settings.log_folder / "log.vkey").write_text(KEY.verifier.vkey + "\n")
    folder = tmp_path / "mirror"
    assert (await yesser(settings, "audit", "vkey")).stdout == KEY.verifier.vkey + "\n"
    assert (await yesser_json(settings, "audit", "vkey"))[1]["vkey"] == KEY.verifier.vkey
    assert (await yesser_json(settings, "audit", "mirror", str(folder)))[1]["size"] == SIGNED
    for where in ([], [str(folder)]):
        code, document = await yesser_json(settings, "audit", "verify", *where, "--vkey", KEY.verifier.vkey)
        assert (code, document) == (0, {"size": SIGNED, "root": root_of(ENTRIES[:SIGNED]).hex(), "ok": True})
    assert "السجل سليم" in (await yesser(settings, "audit", "verify")).stdout
    await sign(connection, ENTRIES, SIZE)
    assert (await write_mirror(port, folder, KEY.verifier))["size"] == SIZE
    assert await verified(MirrorPort(folder, KEY.verifier)) == SIZE


async def change(connection: Connection, index: int, at: int, byte: bytes) -> None:
    """Overwrite one byte of an entry (`at` counts from its first; -2 and -1 are its length), as a superuser could."""
    query = "SELECT max(first_index) FROM log.segment WHERE first_index <= $1"
    first: int = await connection.fetchval(query, index)
    place = sum(2 + len(entry) for entry in ENTRIES[first:index]) + 2 + at
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    overwrite = "UPDATE log.segment SET entries = overlay(entries PLACING $2 FROM $3) WHERE first_index = $1"
    await connection.execute(overwrite, first, byte, place + 1)


async def test_a_changed_byte_or_length_leads_to_its_entry_and_the_command_ends_with_76(
    connection: Connection, environment: Callable[..., dict[str, str]]
) -> None:
    await write_signed_log(connection, ENTRIES, SIGNED)
    port = PostgresPort(connection, KEY.verifier)
    for index, at in product((0, 255, 256, 700, 999), (0, 5, -1, -2)):
        named = rf"^entry {index} "
        transaction = connection.transaction()
        await transaction.start()
        await change(connection, index, at, b"\x01")
        with pytest.raises(Tampered, match=named):
            await verified(port)
        with pytest.raises(ChangedEntry, match=named):
            await read_checked(connection, 0, SIZE)
        with pytest.raises(ChangedEntry, match=named):
            [raw async for raw in chosen_entries(connection, [index])]
        await transaction.rollback()

    await change(connection, 700, 3, b"X")
    command = [sys.executable, "-m", "infra.cli", "audit", "verify", "--vkey", KEY.verifier.vkey]
    ended = await asyncio.to_thread(subprocess.run, command, env=environment(), capture_output=True, text=True)
    assert ended.returncode == 76
    assert ended.stderr.startswith("yesser: entry 700 does not agree with its stored hash")
