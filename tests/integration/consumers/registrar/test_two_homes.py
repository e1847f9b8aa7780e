"""Two machines (homes) on the same services: taking over, a returned owner, two databases of one log, and clocks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumers.registrar.guards.clocks import ClockCheck
from consumers.registrar.guards.continuation import CheckpointTopic, checkpoints_of, newest
from consumers.registrar.registrar import Registrar
from consumers.registrar.signer import Signer
from events.errors import Fenced
from events.wire.entry import recorded_time
from infra.kafka.clients import consuming, producing
from infra.log.reader import log_size
from infra.log.signed_note import Checkpoint, LogKey
from infra.postgres.connection import Connection, connected
from infra.private_keys.key_files import load_keys, log_key_files
from infra.settings import Settings
from tests.world.logs import open_journal
from tests.world.records import said
from tests.world.registrars import (
    bring_key,
    checkpoints,
    checkpoints_in_topic,
    copy_of_database,
    found,
    founded,
    registrar,
    require_consistent,
    require_whole_log,
    second_home,
    until_halted,
    until_ready,
    until_signed,
    until_size,
)
from tests.world.topics import HEALTH_TOPIC, drop_topic, records, send
from tests.world.waits import intervals, running, until

HOUR = timedelta(hours=1)
TAKE_OVER_S = 10.0


async def test_a_second_home_stands_by_once_it_has_the_key_and_takes_over_from_the_topic_alone(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    await founded(settings, connection, "health")
    epoch = await connection.fetchval("SELECT epoch FROM platform.lease")
    other = second_home(settings, tmp_path / "other")
    (other.log_folder / "log.vkey").unlink()
    (other.log_folder / "log.skey").write_text(LogKey(settings.log_origin, bytes(32)).skey)
    with_another = registrar(other)
    async with running(with_another):
        assert "was not signed with log.skey" in await until_halted(with_another)
    home = second_home(settings, tmp_path / "second", key=False)
    second = registrar(home)
    async with running(second):
        reason = await until_halted(second)
        assert "log.skey" in reason
        assert "docs/standby.md" in reason
        await intervals(settings.halted_retry_ms)
        assert await connection.fetchval("SELECT epoch FROM platform.lease") == epoch, "neither claims the lease"
        assert not (home.log_folder / "log.skey").exists()
        async with running(registrar(settings)):
            await send(settings, HEALTH_TOPIC, said("a"))
            await until_signed(connection, 4)
            bring_key(settings, home)
            await until_ready(second, "standby")
        async with asyncio.timeout(TAKE_OVER_S):
            await until_ready(second, "active")
            await send(settings, HEALTH_TOPIC, said("b"))
            await until_size(connection, 5)
        await until_signed(connection, 5)
        await require_whole_log(settings, connection)
    (last, *_) = in_topic = (await records(settings, settings.checkpoints_topic))[::-1]
    assert (last.key, last.value) == (settings.log_origin.encode(), (home.log_folder / "checkpoint").read_bytes())
    assert len({record.value for record in in_topic}) > 1
    # The first home's file is older than the topic by now.
    async with running(registrar(settings)):
        await send(settings, HEALTH_TOPIC, said("c"))
        await until_signed(connection, 6)
    await require_consistent(connection, settings, home)


@asynccontextmanager
async def expired_signer(settings: Settings) -> AsyncIterator[Signer]:
    """The signer of an owner whose lease expires while it is suspended."""
    async with (
        connected(settings, "old owner") as old,
        consuming(settings) as consumer,
        producing(settings) as producer,
    ):
        topic = CheckpointTopic(settings, consumer, producer)
        clocks = ClockCheck(lambda: datetime.now(UTC), time.monotonic, 300)
        keys = load_keys(log_key_files(settings))
        signer = Signer(await open_journal(old, settings), keys, settings, topic, clocks)
        await signer.take_over()
        yield signer


async def test_an_owner_whose_lease_expired_while_it_signed_publishes_nothing_that_lasts(
    settings: Settings, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await founded(settings, connection, "health")
    second = second_home(settings, tmp_path / "second")
    async with expired_signer(settings) as signer:
        late, signer.newest = signer.newest, None  # there is something to sign
        assert late is not None
        written: list[Checkpoint] = []
        signed, continued, read = asyncio.Event(), asyncio.Event(), signer.topic.read

        async def suspended() -> list[bytes]:
            if written:
                signed.set()
                await continued.wait()
            return await read()

        monkeypatch.setattr(signer, "_write_to_file", written.append)
        monkeypatch.setattr(signer.topic, "read", suspended)
        signing = asyncio.create_task(signer.sign())
        await signed.wait()
        await connection.execute("UPDATE platform.lease SET expires_at = now() - interval '1 s'")
        async with running(registrar(second)):
            await send(settings, HEALTH_TOPIC, said("a"))
            await until_signed(connection, 4)
            before = len(await records(settings, settings.checkpoints_topic))
            continued.set()
            with pytest.raises(Fenced):
                await signing
            assert len(await records(settings, settings.checkpoints_topic)) == before
            # Suspended after its last look: nothing keeps Kafka from taking what it sends now.
            await signer._write_to_topic(late)
            with pytest.raises(Fenced):
                await signer._publish(late, "adopt_checkpoint")
            history = load_keys(log_key_files(settings)).history

            async def newest_is_last() -> bool:
                values = [record.value for record in await records(settings, settings.checkpoints_topic)]
                last = newest(checkpoints_of(values, history, settings.checkpoints_topic))
                return last is not None and last.size == 4 and values[-1] == last.note.encode()

            await until(newest_is_last, "the newest checkpoint is the last record again")
            await intervals(settings.agencies_poll_ms)
            assert len(await records(settings, settings.checkpoints_topic)) == before + 2, "it is written once"
    await require_consistent(connection, settings, second)


async def test_two_databases_from_one_backup_are_noticed_and_not_signed(settings: Settings, tmp_path: Path) -> None:
    async with connected(settings, "test") as connection:
        await founded(settings, connection, "health")
    async with AsyncExitStack() as stack:
        copy = await stack.enter_async_context(copy_of_database(settings))
        homes = (settings, second_home(copy, tmp_path / "second"))
        connections = [await stack.enter_async_context(connected(home, "test")) for home in homes]
        both = [registrar(home) for home in homes]
        await stack.enter_async_context(running(*both))
        for one in both:
            await until_ready(one, "active")
        await send(settings, HEALTH_TOPIC, said("a"))
        await until(lambda: any(one.progress.halted is not None for one in both), "one of them halts")
        await intervals(settings.halted_retry_ms)
        halted = [i for i, one in enumerate(both) if one.progress.halted is not None]
        reasons = [one.progress.halted or "" for one in both if one.progress.halted]
        assert all("do not give the root" in reason or "yesser recover" in reason for reason in reasons), reasons
        signed = [await checkpoints(connection) for connection in connections]
        sizes = [await log_size(connection) for connection in connections]
        await send(settings, HEALTH_TOPIC, said("b"), said("c"))
        await intervals(settings.halted_retry_ms)
        for i in halted:
            assert await checkpoints(connections[i]) == signed[i], "a halted registrar signs nothing"
            assert await log_size(connections[i]) == sizes[i], "a halted registrar commits nothing"


async def test_a_forged_checkpoint_halts_and_other_text_is_replaced(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    one = registrar(settings)
    async with running(one):
        await until_signed(connection, 3)
        await drop_topic(settings, settings.checkpoints_topic)

        async def newest_is_back() -> bool:
            return [c.size for c in await checkpoints_in_topic(settings)] == [3]

        await until(newest_is_back, "the newest checkpoint is in the topic again")
        await send(settings, settings.checkpoints_topic, b"nonsense")

        async def written_over() -> bool:
            last = (await records(settings, settings.checkpoints_topic))[-1]
            return bool(last.value == (settings.log_folder / "checkpoint").read_bytes())

        await until(written_over, "the newest checkpoint is the last record again")
        assert one.progress.halted is None
        forged = LogKey(settings.log_origin, bytes(32)).sign_checkpoint(1, bytes(32))
        await send(settings, settings.checkpoints_topic, forged.encode())
        assert "log.skey did not sign" in await until_halted(one)
        await send(settings, HEALTH_TOPIC, said("a"))
        await intervals(settings.halted_retry_ms)
        assert await log_size(connection) == 3
        # The remedy of the runbook: the registrar creates the topic again, from its file.
        await drop_topic(settings, settings.checkpoints_topic)
        await until_signed(connection, 4)
        assert one.progress.halted is None
    assert {c.size for c in await checkpoints_in_topic(settings)} == {3, 4}


async def test_a_clock_that_is_wrong_halts_before_anything_is_registered_and_at_work_and_so_does_a_log_ahead_of_it(
    settings: Settings, connection: Connection
) -> None:
    await found(settings, "health")
    offset = HOUR
    one = Registrar(settings, lambda: datetime.now(UTC) + offset)
    async with running(one):
        assert "the clock of this machine shows" in await until_halted(one)
        assert await log_size(connection) == 0
        assert await checkpoints(connection) == []
        offset = timedelta()
        await until_signed(connection, 3)
        assert one.progress.halted is None
        for size, offset in ((3, HOUR), (4, -HOUR)):
            await send(settings, HEALTH_TOPIC, said(f"e{size}"))
            assert "the clock of this machine shows" in await until_halted(one)
            assert await log_size(connection) == size
            offset = timedelta()
            await until_signed(connection, size + 1)
    recorded = await connection.fetchval("SELECT recorded FROM log.state")
    assert abs((datetime.fromisoformat(recorded) - datetime.now(UTC)).total_seconds()) < 60
    ahead = recorded_time(datetime.now(UTC) + HOUR)
    await connection.execute("UPDATE log.state SET recorded = $1", ahead)
    one = registrar(settings)
    async with running(one):
        assert "The log is ahead of the clock" in await until_halted(one)
        await send(settings, HEALTH_TOPIC, said("a"))
        await intervals(settings.halted_retry_ms)
        assert await log_size(connection) == 5
    allowed = settings.model_copy(update={"clock_difference_max_s": 2 * HOUR.total_seconds()})
    async with running(registrar(allowed)):
        await until_signed(connection, 6)
    assert await connection.fetchval("SELECT recorded FROM log.state") == ahead, "time never goes back"
