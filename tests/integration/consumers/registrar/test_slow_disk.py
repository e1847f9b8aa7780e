"""A disk that stops for longer than the lease holds: the registrar's term survives, and it registers meanwhile."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.registrar.guards.continuation import write_checkpoint
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.records import said
from tests.world.registrars import found, registrar, until_signed, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running, until


async def test_a_term_survives_a_slow_disk(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops, stopped, goes_on = threading.Event(), threading.Event(), threading.Event()

    def write(folder: Path, note: str) -> None:
        if stops.is_set():
            stopped.set()
            goes_on.wait()
        write_checkpoint(folder, note)

    lease = "SELECT epoch, expires_at FROM platform.lease WHERE name = 'registrar'"
    monkeypatch.setattr("consumers.registrar.signer.write_checkpoint", write)
    await found(settings, "health")
    try:
        async with running(registrar(settings)):
            await until_size(connection, 3)
            await until_signed(connection)
            [(epoch, expires_at)] = await connection.fetch(lease)
            stops.set()
            await send(settings, HEALTH_TOPIC, said("a"))
            await until(stopped.is_set, "the disk is asked to write a checkpoint")
            await send(settings, HEALTH_TOPIC, said("b"), said("c"))
            await until_size(connection, 6)
            outlived = "SELECT expires_at > $1 FROM platform.lease WHERE name = 'registrar'"
            end = expires_at + timedelta(milliseconds=settings.lease_ms)
            await until(lambda: connection.fetchval(outlived, end), "the lease was renewed for longer than it holds")
            goes_on.set()
            await until_signed(connection)
            assert await connection.fetchval(lease) == epoch
    finally:
        goes_on.set()
