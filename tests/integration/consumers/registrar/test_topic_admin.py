"""What a person may decide: noise is let through, a halted topic is read again, a bug of ours is taken note of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import pytest

from consumers.registrar.topic_admin import NothingToRelease, acknowledge, lift_halt, look_at, unpause_topic
from infra.kafka.admin import admin_client, delete_records
from infra.postgres.connection import Connection
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from tests.integration.consumers.registrar.pausing import IN_A_ROW, impatient, until_paused
from tests.unit.consumers.registrar.readings import said
from tests.world.registrars import found, halts, log_of, registrar, require_whole_log, until_size, until_topic_halted
from tests.world.topics import HEALTH_TOPIC, PLATFORM_TOPIC, drop_topic, make_topics, records, remake_topic, send
from tests.world.waits import running, until


async def test_a_paused_topic_is_read_up_to_its_end_when_a_person_says_so(
    settings: Settings, connection: Connection
) -> None:
    settings = impatient(settings, wait_s=600)
    await found(settings, "health")
    async with running(registrar(settings)):
        await until_size(connection, 3)
        with pytest.raises(NothingToRelease, match="not paused"):
            await unpause_topic(connection, settings, "health", 10)
        await send(settings, HEALTH_TOPIC, *[b"noise"] * 20)
        await until_paused(connection, HEALTH_TOPIC)
        assert await unpause_topic(connection, settings, "health", 20) == 20 - IN_A_ROW
        await until_size(connection, 23)
        await send(settings, HEALTH_TOPIC, said("good"))
        await until_size(connection, 24)


OLD = [said(f"e{i}") for i in range(4)]
NEW = [said(f"x{i}") for i in range(5)]


@pytest.mark.parametrize(
    ("stands", "missing", "unread", "read_then"),
    [
        pytest.param(OLD, range(4, 4), range(0), [], id="restored"),
        pytest.param(OLD[:2], range(2, 4), range(2), [], id="its tail is lost"),
        pytest.param(NEW, range(4, 4), range(4), ["x4"], id="created anew"),
        pytest.param(None, range(4), range(0), [], id="gone", marks=pytest.mark.accept),
    ],
)
async def test_a_halted_topic_is_read_again_without_a_restart(
    settings: Settings,
    connection: Connection,
    stands: list[bytes] | None,
    missing: range,
    unread: range,
    read_then: list[str],
) -> None:
    settings = impatient(settings, wait_s=600)
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *OLD)
    async with running(registrar(settings)):
        await until_size(connection, 7)
        await drop_topic(settings, HEALTH_TOPIC)
        await until_topic_halted(connection, HEALTH_TOPIC)
        if stands is not None:
            await make_topics(settings, "health")
            await send(settings, HEALTH_TOPIC, *stands)
        halted = await look_at(connection, settings, "health")
        assert halted.is_restored is (stands is OLD)
        assert (halted.missing, halted.unread) == (missing, unread)
        assert len(halted.words()["ar"]) == len(halted.words()["en"])
        await lift_halt(connection, settings, "health", halted)
        await send(settings, HEALTH_TOPIC, said("after"), said("e0"))
        await until_size(connection, 8 + len(read_then))
        await until(
            lambda: connection.fetchval("SELECT count(*) FROM log.duplicate WHERE of_index = 3"),
            "what is sent again is a duplicate",
        )
        assert await halts(connection) == {}
        await require_whole_log(settings, connection)
    assert [e.id for e in await log_of(connection)][3:] == ["e0", "e1", "e2", "e3", *read_then, "after"]


async def test_records_that_were_deleted_unread_are_named_and_reading_resumes_behind_them(
    settings: Settings, connection: Connection
) -> None:
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *OLD)
    async with running(registrar(settings)):
        await until_size(connection, 7)
    await send(settings, HEALTH_TOPIC, *NEW)
    async with admin_client(settings) as admin:
        await delete_records(admin, HEALTH_TOPIC, 6)
    async with running(registrar(settings)):
        await until_topic_halted(connection, HEALTH_TOPIC)
        assert "the records 4 … 5 were deleted before they were read" in (await halts(connection))[HEALTH_TOPIC]
        halted = await look_at(connection, settings, "health")
        assert (halted.deleted_unread, halted.missing, halted.unread) == (range(4, 6), range(4, 4), range(0))
        assert halted.words()["en"][-1] == "Reading resumes at offset 6."
        assert len(halted.words()["ar"]) == len(halted.words()["en"]) == 2
        await lift_halt(connection, settings, "health", halted)
        await until_size(connection, 10)
        assert await halts(connection) == {}
    assert [entry.id for entry in await log_of(connection)][3:] == ["e0", "e1", "e2", "e3", "x2", "x3", "x4"]


@pytest.mark.parametrize("stands", [OLD[:2], NEW[:4]], ids=["its tail is lost", "created anew"])
async def test_what_stands_there_when_a_halt_is_lifted_has_to_stay(
    settings: Settings, connection: Connection, stands: list[bytes]
) -> None:
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *OLD)
    async with running(registrar(settings)):
        await until_size(connection, 7)
    for contents in (stands, [said(f"y{i}") for i in range(6)]):
        await remake_topic(settings, "health")
        await send(settings, HEALTH_TOPIC, *contents)
        async with running(registrar(settings)):
            await until_topic_halted(connection, HEALTH_TOPIC)
            await lift_halt(connection, settings, "health", await look_at(connection, settings, "health"))
    assert "y0" not in [entry.id for entry in await log_of(connection)]


async def test_without_yes_it_is_only_said_what_would_be_done(
    settings: Settings, connection: Connection, environment: Callable[..., dict[str, str]]
) -> None:
    await found(settings, "health")
    await connection.execute(
        "INSERT INTO log.read_position (topic, next_offset, last_record_sha256, halted_reason) "
        "VALUES ($1, 3, $2, 'lost')",
        HEALTH_TOPIC,
        bytes(32),
    )

    async def unhalt(*options: str) -> tuple[int, str]:
        command = [*subprocess_command(), "registrar", "unhalt", "health", *options]
        child = await asyncio.create_subprocess_exec(*command, env=environment(), stdout=asyncio.subprocess.PIPE)
        out, _ = await child.communicate()
        return child.returncode or 0, out.decode()

    code, said_ = await unhalt()
    assert code == 1
    assert "0 … 2 are missing" in said_
    assert "السجلات 0 … 2" in said_
    assert HEALTH_TOPIC in await halts(connection)
    code, said_ = await unhalt("--yes", "--json")
    assert (code, orjson.loads(said_)["lifted"]) == (0, True)
    assert await halts(connection) == {}
    assert [record.value for record in await records(settings, HEALTH_TOPIC)] == [None] * 3


async def test_a_refused_event_of_the_platform_alarms_until_a_person_takes_note(
    settings: Settings, connection: Connection
) -> None:
    settings = impatient(settings, wait_s=600)
    await found(settings)
    await send(settings, PLATFORM_TOPIC, b"{}", b"[]")
    async with running(registrar(settings)):
        await until_size(connection, 4)
    one = registrar(settings)
    async with running(one):
        await until(lambda: "index 2" in str(one.readiness().details.get("halted")), "it alarms after a restart too")
        with pytest.raises(NothingToRelease, match="refused at 1"):
            await acknowledge(connection, [1, 2], "no such thing")
        assert await acknowledge(connection, None, "a fold of ours was wrong; corrected") == [2, 3]
        assert await acknowledge(connection, None, "there is nothing more") == []
        assert await acknowledge(connection, [3], "the same fold") == [3]
        await until(lambda: one.readiness().ready, "it is ready again without a restart")
