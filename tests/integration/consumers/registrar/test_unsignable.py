"""A registrar that cannot keep its checkpoints beside the key registers and signs nothing, and all who ask are told."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from consumers.operations.wait import read_status
from infra.embedded.status import read_leases
from infra.log.reader import log_size
from infra.postgres.connection import Connection
from infra.process.subprocess_command import subprocess_command, subprocess_environment
from infra.settings import Settings
from tests.world.records import said
from tests.world.registrars import found, registrar, second_home, until_halted, until_ready, until_signed, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import intervals, running, until

EPOCH = "SELECT epoch FROM platform.lease WHERE name = 'registrar'"


class Disk:
    """Where `full`, nothing is synced to the folders of this test's registrars."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, file: int) -> None:
        if self.full:
            raise OSError(errno.EROFS, "Read-only file system")
        self._fsync(file)


async def test_who_cannot_keep_a_checkpoint_stands_without_the_lease_and_goes_on_by_itself(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, one = Disk(monkeypatch), registrar(settings)
    await found(settings, "health")
    with capture_logs() as lines:
        async with running(one):
            await until_signed(connection, 3)
            disk.full = True
            await send(settings, HEALTH_TOPIC, said("a"))
            reason = await until_halted(one)
            assert f"no checkpoint can be kept in {settings.log_folder} (Read-only file system)" in reason
            size, epoch = await log_size(connection), await connection.fetchval(EPOCH)
            await send(settings, HEALTH_TOPIC, said("b"))
            await intervals(settings.halted_retry_ms)
            assert await connection.fetchval(EPOCH) == epoch, "it does not claim what it cannot do"
            assert await log_size(connection) == size, "nothing more is registered"
            assert one.readiness().details["halted"] == reason

            status = await read_status(connection, [])
            assert status.stopped == [f"registrar halted: {reason}"]
            rows, _ = await read_leases(settings)
            assert [row["halted_reason"] for row in rows] == [reason]
            waiting = await asyncio.create_subprocess_exec(
                *subprocess_command("wait", "--json", "--timeout", "1"),
                env=subprocess_environment(settings),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            said_out, said_err = await waiting.communicate()
            assert waiting.returncode == 75
            assert said_out == b""
            assert reason in said_err.decode()

            disk.full = False
            await until_size(connection, 5)
            await until_signed(connection, 5)
            await until_ready(one)
            assert await connection.fetchval("SELECT halted_reason FROM platform.lease") is None
    halts = [line for line in lines if line["event"].startswith("halted")]
    assert len(halts) == 1, json.dumps(halts)


async def test_a_second_machine_takes_over(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    await found(settings, "health")
    first = registrar(settings)
    async with running(first):
        await until_signed(connection, 3)
        second = registrar(second_home(settings, tmp_path / "second"))
        async with running(second):
            # A file takes the place of the folder: a mode would not stop a superuser.
            settings.log_folder.rename(tmp_path / "elsewhere")
            settings.log_folder.write_bytes(b"")
            await send(settings, HEALTH_TOPIC, said("a"), said("b"))
            await until_halted(first)
            await until_signed(connection, 5)
            await until_ready(second)
            assert second.readiness().details["role"] == "active"
            assert first.readiness().details["owner"] == second.readiness().details["owner"]


async def test_with_a_halted_topic_it_is_not_ready(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    one = registrar(settings)
    async with running(one):
        await until_signed(connection, 3)
        await until_ready(one)
        await connection.execute(
            "UPDATE log.read_position SET halted_reason = 'its tail was lost' WHERE topic = $1", HEALTH_TOPIC
        )
        await until(lambda: not one.readiness().ready, "the registrar is not ready")
        assert one.readiness().details["halted"] == f"{HEALTH_TOPIC} is halted: its tail was lost"
