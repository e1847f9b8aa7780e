"""A database restored from an older copy: nothing is signed until `yesser recover` has brought back the same log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from consumers.audit.mirror import mirror_entries, write_mirror
from consumers.database_audit.postgres_port import PostgresPort
from consumers.registrar.guards.continuation import read_last_checkpoint
from consumers.registrar.recovery.recover import recover
from consumers.registrar.recovery.source import CannotRecover, Source, topic_source
from infra.log.reader import log_size, read_entries
from infra.postgres.connection import Connection, connected
from infra.private_keys.key_files import load_keys, log_key_files
from infra.process import lease
from infra.settings import Settings
from tests.integration.consumers.registrar.recovery.copied_log import copied, quiet, rows_of, sign_again
from tests.world.records import said
from tests.world.registrars import founded, registrar, shipped, until_halted, until_shipped, until_size
from tests.world.topics import HEALTH_TOPIC, drop_topic, send
from tests.world.waits import running, until

TABLES = (
    "segment",
    "node",
    "event_id",
    "run",
    "duplicate",
    "refusal",
    "dead_letter",
    "sequence_state",
    "sequence_month",
)


async def recovered_to(settings: Settings) -> int:
    """Up to which entry nothing is decided a second time."""
    async with connected(settings, "watching") as watching:
        index: int = await watching.fetchval("SELECT recovered_to FROM log.state")
    return index


async def signed_size(settings: Settings) -> int:
    last = read_last_checkpoint(settings.log_folder, load_keys(log_key_files(settings)).history)
    assert last is not None
    return last.size


async def test_an_older_copy_halts_and_the_topic_brings_back_the_same_log(settings: Settings) -> None:
    async with copied(settings) as old, connected(old.settings, "watching") as watching:
        one = registrar(old.settings)
        async with running(one):
            assert "yesser recover" in await until_halted(one)
            recovered = await recover(old.settings, topic_source(old.settings), quiet)
            assert (recovered.size_before, recovered.size, recovered.root) == (old.size_before, old.size, old.root)
            assert await recovered_to(old.settings) == old.size
            await until(lambda: one.progress.halted is None, "the registrar goes on by itself")
            await send(settings, HEALTH_TOPIC, said("after"), said("m0.0", sequence=50))
            await until_size(watching, old.size + 1)
            await until_shipped(watching, old.size + 1)
        assert await recovered_to(old.settings) == old.size, "what is registered now is new"
        assert await signed_size(old.settings) == old.size + 1
        values = await shipped(old.settings)
        assert sorted(values) == list(range(old.size + 1))
        assert all(len(different) == 1 for different in values.values()), "the world has seen one log only"


async def test_what_the_registrar_had_decided_is_there_again(settings: Settings) -> None:
    async with copied(settings) as old, connected(old.settings, "watching") as watching:
        await recover(old.settings, topic_source(old.settings), quiet)
        assert await watching.fetchval("SELECT agency FROM platform.suspension") == "labour", "before the first request"
        all_read = "SELECT count(*) = $1 FROM log.duplicate"
        duplicates = len(old.rows["duplicate"])
        async with running(registrar(old.settings)):
            # Duplicates behind the last entry of their topic have no entry that tells of them: they are read again.
            await until(lambda: watching.fetchval(all_read, duplicates), "the last duplicates are read again")
        rows = await rows_of(watching)
        for table, expected in old.rows.items():
            assert rows[table] == expected, table
        assert await log_size(watching) == old.size


async def test_a_mirror_brings_back_the_same_log_when_the_topic_is_gone(settings: Settings, tmp_path: Path) -> None:
    async with copied(settings) as old:
        verifier = load_keys(log_key_files(settings)).current.verifier
        async with connected(settings, "watching") as watching:
            await write_mirror(PostgresPort(watching, verifier), tmp_path / "mirror", verifier)
        await drop_topic(settings, settings.log_topic)
        with pytest.raises(CannotRecover, match="--from MIRROR"):
            await recover(old.settings, topic_source(old.settings), quiet)
        recovered = await recover(old.settings, lambda first: mirror_entries(tmp_path / "mirror", first), quiet)
        assert (recovered.size, recovered.root) == (old.size, old.root)


async def test_what_cannot_be_right_is_not_recovered(settings: Settings) -> None:
    async with copied(settings) as old, connected(old.settings, "watching") as watching:
        short = cut(topic_source(old.settings), old.size_before + 10)
        lying = changed(topic_source(old.settings), lambda raw: raw.replace(b"word", b"lies"))
        with pytest.raises(CannotRecover, match="up to"):
            await recover(old.settings, short, quiet)
        with pytest.raises(CannotRecover):
            await recover(old.settings, lying, quiet)
        assert await log_size(watching) == old.size_before, "nothing was changed"
        await sign_again(old.settings, watching, old.size_before)
        with pytest.raises(CannotRecover):
            await recover(old.settings, lying, quiet)  # the agencies' own topics still tell what was sent
        assert not any(b"lies" in entry for entry in await read_entries(watching, 0, await log_size(watching)))
        for name in ("log.skey", "log.vkey", "checkpoint"):
            (settings.log_folder / name).unlink()
        with pytest.raises(Exception, match=r"log\.skey is gone"):
            await recover(old.settings, topic_source(old.settings), quiet)
        assert list(settings.log_folder.iterdir()) == [], "it makes no key"


async def test_a_log_that_lacks_nothing_is_left_as_it_is(settings: Settings, connection: Connection) -> None:
    await founded(settings, connection)
    recovered = await recover(settings, topic_source(settings), quiet)
    assert (recovered.size_before, recovered.size) == (2, 2)
    assert await recovered_to(settings) == 0, "a consumer that was only away decides"


async def test_a_registrar_at_work_is_not_disturbed(settings: Settings, connection: Connection) -> None:
    hasty = settings.model_copy(update={"lease_ms": 1000, "lease_renew_ms": 100})
    assert await lease.claim(connection, "registrar", "somebody", settings) is not None
    with pytest.raises(CannotRecover, match="is running"):
        await recover(hasty, topic_source(hasty), quiet)


def changed(source: Source, change: Callable[[bytes], bytes]) -> Source:
    async def entries(first: int) -> AsyncIterator[bytes]:
        async for raw in source(first):
            yield change(raw)

    return entries


def cut(source: Source, end: int) -> Source:
    async def entries(first: int) -> AsyncIterator[bytes]:
        async for raw in source(first):
            if first >= end:
                return
            first += 1
            yield raw

    return entries
