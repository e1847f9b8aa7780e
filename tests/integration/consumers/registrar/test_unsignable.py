"""A registrar that cannot keep its checkpoints beside the key registers and signs nothing, and all who ask are told."""

from __future__ import annotations

import errno
import json
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from consumers.relay.wait_command import read_status
from infra.embedded.status import read_leases
from infra.log.reader import log_size
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.commands import yesser
from tests.world.records import said
from tests.world.registrars import found, registrar, second_home, until_halted, until_ready, until_signed, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import intervals, running, until

EPOCH = "SELECT epoch FROM platform.lease WHERE name = 'registrar'"


class Disk:
    """Where this test's registrars sync their files: it can be full, or take its time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.stops, self.stopped, self.goes_on = threading.Event(), threading.Event(), threading.Event()
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, file: int) -> None:
        if self.full:
            raise OSError(errno.EROFS, "Read-only file system")
        if self.stops.is_set():
            self.stopped.set()
            self.goes_on.wait()
        self._fsync(file)


async def test_a_term_survives_a_slow_disk(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops for longer than the lease holds."""
    disk = Disk(monkeypatch)
    lease = "SELECT epoch, expires_at FROM platform.lease WHERE name = 'registrar'"
    await found(settings, "health")
    try:
        async with running(registrar(settings)):
            await until_signed(connection, 3)
            [(epoch, expires_at)] = await connection.fetch(lease)
            disk.stops.set()
            await send(settings, HEALTH_TOPIC, said("a"))
            await until(disk.stopped.is_set, "the disk is asked to write a checkpoint")
            await send(settings, HEALTH_TOPIC, said("b"), said("c"))
            await until_size(connection, 6)
            outlived = "SELECT expires_at > $1 FROM platform.lease WHERE name = 'registrar'"
            end = expires_at + timedelta(milliseconds=settings.lease_ms)
            await until(lambda: connection.fetchval(outlived, end), "the lease was renewed for longer than it holds")
            disk.goes_on.set()
            await until_signed(connection)
            assert await connection.fetchval(lease) == epoch
    finally:
        disk.goes_on.set()


async def test_who_cannot_keep_a_checkpoint_stands_without_the_lease_and_goes_on_by_itself_or_another_takes_over(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    disk, one = Disk(monkeypatch), registrar(settings)
    await found(settings, "health")
    async with running(one):
        with capture_logs() as lines:
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
            assert [row.halted_reason for row in rows] == [reason]
            waited = await yesser(settings, "wait", "--json", "--timeout", "1")
            assert (waited.exit_code, waited.stdout) == (75, "")
            assert reason in waited.stderr

            disk.full = False
            await until_size(connection, 5)
            await until_signed(connection, 5)
            await until_ready(one)
            assert await connection.fetchval("SELECT halted_reason FROM platform.lease") is None
        halts = [line for line in lines if line["event"].startswith("halted")]
        assert len(halts) == 1, json.dumps(halts)

        second = registrar(second_home(settings, tmp_path / "second"))
        async with running(second):
            # A file takes the place of the folder: a mode would not stop a superuser.
            settings.log_folder.rename(tmp_path / "elsewhere")
            settings.log_folder.write_bytes(b"")
            await send(settings, HEALTH_TOPIC, said("c"), said("d"))
            await until_halted(one)
            await until_signed(connection, 7)
            await until_ready(second)
            assert second.readiness().details["role"] == "active"
            assert one.readiness().details["owner"] == second.readiness().details["owner"]
