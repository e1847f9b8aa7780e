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

from consumers.audit.mirror import write_mirror
from consumers.audit.port import LogPort, MirrorPort, NotThere
from consumers.audit.tree import WrongTree, require_tree
from consumers.database_audit.postgres_port import PostgresPort
from events.errors import Tampered
from infra.log.proofs import consistency_proof, inclusion_proof, tree_root, verify_consistency
from infra.log.reader import CHOSEN_MAX, ChangedEntry, chosen_entries, read_checked
from infra.log.signed_note import Checkpoint
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.every import every
from tests.world.commands import yesser, yesser_json
from tests.world.logs import sign, write_signed_log
from tests.world.memory_log import KEY, MemoryLog, root_of, sample_entries

SIZE = 1100
ENTRIES = sample_entries(SIZE)


async def tamper(connection: Connection, index: int) -> None:
    """What a database superuser can do: triggers off, entry and leaf changed together."""
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute(
        "UPDATE log.segment SET entries = overlay(entries PLACING 'X'::bytea FROM 3) "
        "WHERE first_index = (SELECT max(first_index) FROM log.segment WHERE first_index <= $1)",
        index,
    )


async def verified(port: LogPort) -> Checkpoint:
    checkpoint = await port.checkpoint()
    await require_tree(port, checkpoint.size, checkpoint.root)
    return checkpoint


@pytest.fixture
async def port(connection: Connection) -> PostgresPort:
    await write_signed_log(connection, ENTRIES, 1000)
    return PostgresPort(connection, KEY.verifier)


async def test_the_log_verifies_at_its_newest_checkpoint_unless_it_was_changed_behind_the_signature(
    port: PostgresPort, connection: Connection
) -> None:
    assert (await verified(port)).size == 1000
    await tamper(connection, 700)
    with pytest.raises(WrongTree):
        await verified(port)


async def test_a_mirror_verifies_and_grows(port: PostgresPort, connection: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    await write_mirror(port, folder, KEY.verifier)
    await sign(connection, ENTRIES, SIZE)
    report = await write_mirror(port, folder, KEY.verifier)
    assert report["size"] == SIZE
    assert (await verified(MirrorPort(folder, KEY.verifier))).size == SIZE


async def test_proofs_come_from_the_database_for_any_two_sizes(port: PostgresPort) -> None:
    for old, new in ((1, 300), (255, 1000), (256, 1100), (777, 1100)):
        roots = [await tree_root(port, size) for size in (old, new)]
        assert roots == [root_of(ENTRIES[:old]), root_of(ENTRIES[:new])]
        assert verify_consistency(old, roots[0], new, roots[1], await consistency_proof(port, old, new))
    assert await inclusion_proof(port, 300, 1100) == await inclusion_proof(MemoryLog(ENTRIES), 300, 1100)


async def test_a_log_without_a_checkpoint_says_what_to_do(connection: Connection) -> None:
    with pytest.raises(NotThere, match="yesser up"):
        await PostgresPort(connection, KEY.verifier).checkpoint()


async def test_commands_mirror_verify_and_print_the_key(port: PostgresPort, settings: Settings, tmp_path: Path) -> None:
    del port  # the log is filled
    settings.log_folder.mkdir(parents=True, exist_ok=True)
    (settings.log_folder / "log.vkey").write_text(KEY.verifier.vkey + "\n")
    folder = str(tmp_path / "mirror")
    assert (await yesser(settings, "audit", "vkey")).stdout == KEY.verifier.vkey + "\n"
    assert (await yesser_json(settings, "audit", "vkey"))[1]["vkey"] == KEY.verifier.vkey
    assert (await yesser_json(settings, "audit", "mirror", folder))[1]["size"] == 1000
    for where in ([], [folder]):
        code, document = await yesser_json(settings, "audit", "verify", *where, "--vkey", KEY.verifier.vkey)
        assert (code, document) == (0, {"size": 1000, "root": root_of(ENTRIES[:1000]).hex(), "ok": True})
    assert "السجل سليم" in (await yesser(settings, "audit", "verify")).stdout


async def change(connection: Connection, index: int, at: int, byte: bytes) -> None:
    """Overwrite one byte of an entry (`at` counts from its first; -2 and -1 are its length), as a superuser could."""
    row = await connection.fetchrow(
        "SELECT first_index, entries FROM log.segment WHERE first_index <= $1 ORDER BY first_index DESC LIMIT 1", index
    )
    assert row is not None
    place = sum(2 + len(entry) for entry in ENTRIES[row["first_index"] : index]) + 2 + at
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute(
        "UPDATE log.segment SET entries = overlay(entries PLACING $2 FROM $3) WHERE first_index = $1",
        row["first_index"],
        byte,
        place + 1,
    )


@every("index, at", [*product((0, 255, 256, 700, 999), (0, 5, -1, -2))])
async def test_a_changed_byte_or_length_leads_to_its_entry(
    port: PostgresPort, connection: Connection, index: int, at: int
) -> None:
    checkpoint = await port.checkpoint()
    transaction = connection.transaction()
    await transaction.start()
    try:
        await change(connection, index, at, b"\x01")
        with pytest.raises(Tampered, match=rf"^entry {index} "):
            await require_tree(port, checkpoint.size, checkpoint.root)
        with pytest.raises(ChangedEntry, match=rf"^entry {index} "):
            await read_checked(connection, 0, SIZE)
        with pytest.raises(ChangedEntry, match=rf"^entry {index} "):
            [raw async for raw in chosen_entries(connection, [index])]
    finally:
        await transaction.rollback()


async def test_chosen_entries_are_read_from_any_segments(port: PostgresPort, connection: Connection) -> None:
    del port  # the log is filled
    chance = random.Random(7)
    for count in (0, 1, 2, CHOSEN_MAX, CHOSEN_MAX + 1, SIZE):
        indexes = sorted(chance.sample(range(SIZE), count))
        chosen = [raw async for raw in chosen_entries(connection, indexes, bytes_max=20_000)]
        assert chosen == [(index, ENTRIES[index]) for index in indexes]
    with pytest.raises(ChangedEntry, match=f"^entry {SIZE} "):
        [raw async for raw in chosen_entries(connection, [0, SIZE])]


async def test_the_command_names_the_entry_and_ends_with_76(
    port: PostgresPort, connection: Connection, environment: Callable[..., dict[str, str]]
) -> None:
    del port  # the log is filled
    await change(connection, 700, 3, b"X")
    command = [sys.executable, "-m", "infra.cli", "audit", "verify", "--vkey", KEY.verifier.vkey]
    ended = await asyncio.to_thread(subprocess.run, command, env=environment(), capture_output=True, text=True)
    assert ended.returncode == 76
    assert ended.stderr.startswith("yesser: entry 700 does not agree with its stored hash")
