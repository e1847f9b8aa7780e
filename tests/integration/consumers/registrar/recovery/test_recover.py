"""A database restored from an older copy: nothing is signed until `yesser recover` has brought back the same log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from consumers.audit.mirror import mirror_entries, write_mirror
from consumers.database_audit.postgres_port import PostgresPort
from consumers.registrar.guards.continuation import read_last_checkpoint
from consumers.registrar.recovery.recover import recover
from consumers.registrar.recovery.source import CannotRecover, Source, topic_source
from infra.log.reader import log_size, read_entries, read_tree
from infra.log.signed_note import checkpoint_text, sign_note
from infra.postgres.connection import Connection, connect
from infra.private_keys.key_files import load_keys, load_or_create_keys, log_key_files
from infra.process import lease
from infra.settings import Settings
from tests.integration.consumers.registrar.recovery.copied_log import copied, quiet, rows_of
from tests.unit.consumers.registrar.readings import said
from tests.world.registrars import found, registrar, shipped, until_shipped, until_size
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
    watching = await connect(settings, "watching")
    try:
        found: int = await watching.fetchval("SELECT recovered_to FROM log.state")
        return found
    finally:
        await watching.close()


async def signed_root(settings: Settings) -> tuple[int, bytes]:
    last = read_last_checkpoint(settings.log_folder, load_keys(log_key_files(settings)).history)
    assert last is not None
    return last.size, last.root


async def test_an_older_copy_halts_and_the_topic_brings_back_the_same_log(settings: Settings) -> None:
    async with copied(settings) as old:
        one = registrar(old.settings)
        async with running(one):
            await until(lambda: one.progress.halted is not None, "the registrar halts")
            assert "yesser recover" in str(one.progress.halted)
            recovered = await recover(old.settings, topic_source(old.settings), quiet)
            assert (recovered.size_before, recovered.size, recovered.root) == (old.size_before, old.size, old.root)
            assert await recovered_to(old.settings) == old.size
            await until(lambda: one.progress.halted is None, "the registrar goes on by itself")
            watching = await connect(old.settings, "watching")
            await send(settings, HEALTH_TOPIC, said("after"), said("m0.0", sequence=50))
            await until_size(watching, old.size + 1)
            await until_shipped(watching, old.size + 1)
            await watching.close()
        assert await recovered_to(old.settings) == old.size, "what is registered now is new"
        assert (await signed_root(old.settings))[0] == old.size + 1
        values = await shipped(old.settings)
        assert sorted(values) == list(range(old.size + 1))
        assert all(len(different) == 1 for different in values.values()), "the world has seen one log only"


async def test_what_the_registrar_had_decided_is_there_again(settings: Settings) -> None:
    async with copied(settings) as old:
        await recover(old.settings, topic_source(old.settings), quiet)
        watching = await connect(old.settings, "watching")
        assert await watching.fetchval("SELECT agency FROM platform.suspension") == "labour", "before the first request"

        async def all_read() -> bool:
            counted: int = await watching.fetchval("SELECT count(*) FROM log.duplicate")
            return counted == len(old.rows["duplicate"])

        try:
            async with running(registrar(old.settings)):
                # Duplicates behind the last entry of their topic have no entry that tells of them: they are read again.
                await until(all_read, "the last duplicates are read again")
            rows = await rows_of(watching)
            for table, expected in old.rows.items():
                assert rows[table] == expected, table
            assert await log_size(watching) == old.size
        finally:
            await watching.close()


async def test_a_mirror_brings_back_the_same_log_when_the_topic_is_gone(settings: Settings, tmp_path: Path) -> None:
    async with copied(settings) as old:
        watching = await connect(settings, "watching")
        verifier = load_or_create_keys(log_key_files(settings)).current.verifier
        await write_mirror(PostgresPort(watching, verifier), tmp_path / "mirror", verifier)
        await watching.close()
        await drop_topic(settings, settings.log_topic)
        with pytest.raises(CannotRecover, match="--from MIRROR"):
            await recover(old.settings, topic_source(old.settings), quiet)
        recovered = await recover(old.settings, lambda first: mirror_entries(tmp_path / "mirror", first), quiet)
        assert (recovered.size, recovered.root) == (old.size, old.root)


@pytest.mark.parametrize("where", ["before the signed checkpoint", "behind it"])
async def test_a_source_that_was_changed_is_not_believed(settings: Settings, where: str) -> None:
    async with copied(settings) as old:
        if where == "behind it":
            # As if the last signature had been lost with the disk: the agencies' own topics still tell.
            key = load_or_create_keys(log_key_files(settings)).current
            watching = await connect(old.settings, "watching")
            note = sign_note(
                checkpoint_text(key.name, old.size_before, (await read_tree(watching, old.size_before)).root()), [key]
            )
            await watching.close()
            (settings.log_folder / "checkpoint").write_text(note, encoding="utf-8")
        lying = changed(topic_source(old.settings), lambda raw: raw.replace(b"word", b"lies"))
        with pytest.raises(CannotRecover):
            await recover(old.settings, lying, quiet)
        watching = await connect(old.settings, "watching")
        try:
            raw = await read_entries(watching, 0, await log_size(watching))
            assert not any(b"lies" in entry for entry in raw)
        finally:
            await watching.close()


async def test_a_source_that_is_too_short_changes_nothing(settings: Settings) -> None:
    async with copied(settings) as old:
        with pytest.raises(CannotRecover, match="up to"):
            await recover(old.settings, cut(topic_source(old.settings), old.size_before + 10), quiet)
        watching = await connect(old.settings, "watching")
        assert await log_size(watching) == old.size_before
        await watching.close()


async def test_a_log_that_lacks_nothing_is_left_as_it_is(settings: Settings) -> None:
    await found(settings)
    watching = await connect(settings, "watching")
    async with running(registrar(settings)):
        await until_size(watching, 2)
        await until_shipped(watching, 2)
    await watching.close()
    recovered = await recover(settings, topic_source(settings), quiet)
    assert (recovered.size_before, recovered.size) == (2, 2)
    assert await recovered_to(settings) == 0, "a consumer that was only away decides"


async def test_a_registrar_at_work_is_not_disturbed(settings: Settings, connection: Connection) -> None:
    hasty = settings.model_copy(update={"lease_ms": 1000, "lease_renew_ms": 100})
    assert await lease.claim(connection, "registrar", "somebody", settings) is not None
    with pytest.raises(CannotRecover, match="is running"):
        await recover(hasty, topic_source(hasty), quiet)


async def test_the_lease_is_kept_however_long_the_source_takes(settings: Settings) -> None:
    async with copied(settings) as old:
        hasty = old.settings.model_copy(update={"lease_ms": 500, "lease_renew_ms": 100})

        async def slow(first: int) -> AsyncIterator[bytes]:
            await asyncio.sleep(1.5)
            async for raw in topic_source(hasty)(first):
                yield raw

        async with running(registrar(hasty)):
            recovered = await recover(hasty, slow, quiet)
        assert recovered.root == old.root


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
