"""A database restored from an older copy: nothing is signed until `yesser recover` has brought back the same log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from consumers.proof.audit.mirror import mirror_entries, write_mirror
from consumers.registrar.recovery.recover import CannotRecover, Source, recover, topic_source
from infra.log.ports.postgres_port import PostgresPort
from infra.log.reader import log_size, read_checked
from infra.postgres.connection import Connection, connected
from infra.private_keys.key_files import load_keys, log_key_files
from infra.process import lease
from infra.settings import Settings
from tests.integration.consumers.registrar.recovery.copied_log import copied, quiet, rows_of, sign_again
from tests.world.records import said
from tests.world.registrars import (
    copy_of_database,
    founded,
    registrar,
    require_consistent,
    second_home,
    shipped,
    until_halted,
    until_signed,
    until_size,
)
from tests.world.topics import HEALTH_TOPIC, drop_topic, send
from tests.world.waits import running, until

RECOVERED_TO = "SELECT recovered_to FROM log.state"
"""Up to which entry nothing is decided a second time."""


async def test_an_older_copy_halts_and_the_topic_brings_back_the_same_log(settings: Settings, tmp_path: Path) -> None:
    """On a second machine, which has the checkpoint from the topic alone."""
    async with copied(settings) as old, connected(old.settings, "watching") as watching:
        second, one = second_home(old.settings, tmp_path / "second"), registrar(old.settings)
        async with running(one):
            assert "yesser recover" in await until_halted(one)
        one = registrar(second)
        async with running(one):
            assert "yesser recover" in await until_halted(one)
            recovered = await recover(second, topic_source(second), quiet)
            assert (recovered.size_before, recovered.size, recovered.root) == (old.size_before, old.size, old.root)
            await until(lambda: one.progress.halted is None, "the registrar goes on by itself")
            # Duplicates behind the last entry of their topic have no entry that tells of them: they are read again.
            all_read = "SELECT count(*) = $1 FROM log.duplicate"
            duplicates = len(old.rows["duplicate"])
            await until(lambda: watching.fetchval(all_read, duplicates), "the last duplicates are read again")
            rows = await rows_of(watching)
            for table, expected in old.rows.items():
                assert rows[table] == expected, table
            assert await log_size(watching) == old.size
            await send(settings, HEALTH_TOPIC, said("after"), said("m0.0", sequence=50))
            await until_size(watching, old.size + 1)
            await until_signed(watching, old.size + 1)
            await require_consistent(watching, second)
        assert await watching.fetchval(RECOVERED_TO) == old.size, "what is registered now is new"
        assert sorted(await shipped(settings)) == list(range(old.size + 1)), "the world has seen one log only"


async def test_what_cannot_be_right_is_not_recovered_and_a_mirror_replaces_a_topic_that_is_gone(
    settings: Settings, tmp_path: Path
) -> None:
    async with copied(settings) as old:
        verifier = load_keys(log_key_files(settings)).current.verifier
        async with connected(settings, "watching") as watching:
            await write_mirror(PostgresPort(watching, verifier), tmp_path / "mirror", verifier)
        short = cut(topic_source(old.settings), old.size_before + 10)
        lying = changed(topic_source(old.settings), lambda raw: raw.replace(b"word", b"lies"))
        async with copy_of_database(old.settings) as copy:
            home = second_home(copy, tmp_path / "second")
            async with connected(home, "watching") as watching:
                with pytest.raises(CannotRecover, match="up to"):
                    await recover(home, short, quiet)
                with pytest.raises(CannotRecover):
                    await recover(home, lying, quiet)
                assert await log_size(watching) == old.size_before, "nothing was changed"
                await drop_topic(settings, settings.checkpoints_topic)
                await sign_again(home, watching, old.size_before)
                with pytest.raises(CannotRecover):
                    await recover(home, lying, quiet)  # the agencies' own topics still tell what was sent
                assert not any(b"lies" in raw for raw in await read_checked(watching, 0, await log_size(watching)))
            for name in ("log.skey", "log.vkey", "checkpoint"):
                (home.log_folder / name).unlink()
            with pytest.raises(Exception, match=r"log\.skey is gone"):
                await recover(home, topic_source(home), quiet)
            assert list(home.log_folder.iterdir()) == [], "it makes no key"
        await drop_topic(settings, settings.log_topic)
        with pytest.raises(CannotRecover, match="--from MIRROR"):
            await recover(old.settings, topic_source(old.settings), quiet)
        recovered = await recover(old.settings, lambda first: mirror_entries(tmp_path / "mirror", first), quiet)
        assert (recovered.size, recovered.root) == (old.size, old.root)
        async with connected(old.settings, "watching") as watching:
            suspended = await watching.fetchval("SELECT agency FROM platform.suspension")
            assert suspended == "labour", "before the first request"


async def test_a_whole_log_and_a_registrar_at_work_are_left_alone(settings: Settings, connection: Connection) -> None:
    await founded(settings, connection)
    recovered = await recover(settings, topic_source(settings), quiet)
    assert (recovered.size_before, recovered.size) == (2, 2)
    assert await connection.fetchval(RECOVERED_TO) == 0, "a consumer that was only away decides"
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
