"""A topic that lost its tail and grew again while nobody looked: nothing that follows is registered."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from consumers.registrar.reader import Reader, TopicBroken
from infra.postgres.connection import Connection
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from tests.world.records import LABOUR, Record, said
from tests.world.registrars import found, halts, ids, reading, until_size, until_topic_halted
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, make_topics, remake_topic, send
from tests.world.waits import intervals

OLD = [said(f"e{i}") for i in range(5)]
NEW = [said(f"x{i}") for i in range(10)]


async def read_up_to(reader: Reader, next_offset: int) -> None:
    async with asyncio.timeout(20):
        while reader.next_offsets[HEALTH_TOPIC] < next_offset:
            await reader.read()


async def regrow_unseen(settings: Settings, reader: Reader, contents: list[bytes]) -> None:
    """The topic is made anew while nothing is fetched, as while a process sleeps."""
    reader.hold(HEALTH_TOPIC)
    await intervals(settings.poll_timeout_ms)
    await remake_topic(settings, "health")
    await send(settings, HEALTH_TOPIC, *contents)
    reader.resume(HEALTH_TOPIC)


async def test_a_topic_made_anew_is_read_on_behind_the_same_records_and_no_others(settings: Settings) -> None:
    await make_topics(settings, "health")
    await send(settings, HEALTH_TOPIC, *OLD)
    other = "offset 4 is not the one that was read"
    async with reading(settings, HEALTH_TOPIC) as reader:
        await read_up_to(reader, 5)
        reader.hold(HEALTH_TOPIC, Record(1, OLD[1]))
        assert await reader.check_topics() == {HEALTH_TOPIC: 5}, "less counts as read"
        reader.resume(HEALTH_TOPIC)
        await read_up_to(reader, 5)
        await regrow_unseen(settings, reader, NEW[:5])
        with pytest.raises(TopicBroken, match=other):
            await reader.check_topics()  # where nothing follows
        await regrow_unseen(settings, reader, NEW)
        with pytest.raises(TopicBroken, match=other):
            await read_up_to(reader, 6)
        assert reader.next_offsets[HEALTH_TOPIC] == 5
    await remake_topic(settings, "health")
    await send(settings, HEALTH_TOPIC, *OLD)
    async with reading(settings, HEALTH_TOPIC) as reader:
        await read_up_to(reader, 5)
        await regrow_unseen(settings, reader, [*OLD, NEW[0]])
        await read_up_to(reader, 6)


async def test_a_registrar_that_slept_halts_the_regrown_topic_and_registers_nothing_of_it(
    settings: Settings, connection: Connection, environment: Callable[..., dict[str, str]]
) -> None:
    await found(settings, "health", "labour")
    await send(settings, HEALTH_TOPIC, *OLD)
    child = await asyncio.create_subprocess_exec(*subprocess_command(), "run", "registrar", env=environment())
    try:
        await until_size(connection, 9)
        child.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.5)
        await remake_topic(settings, "health")
        await send(settings, HEALTH_TOPIC, *NEW)
        child.send_signal(signal.SIGCONT)
        await until_topic_halted(connection, HEALTH_TOPIC)
        await send(settings, LABOUR_TOPIC, said("goes-on", agency=LABOUR))
        await until_size(connection, 10)
    finally:
        child.terminate()
        await child.wait()
    assert set(await halts(connection)) == {HEALTH_TOPIC}
    assert (await ids(connection))[4:] == ["e0", "e1", "e2", "e3", "e4", "goes-on"]
