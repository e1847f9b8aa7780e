"""What a person may decide: noise is let through, a halted topic is read again, a bug of ours is taken note of."""

from __future__ import annotations

import pytest

from consumers.registrar.registrar import Registrar
from consumers.registrar.topic_admin import NothingToRelease, acknowledge, lift_halt, look_at, unpause_topic
from events.validation.verdicts import Agency
from infra.kafka.admin import admin_client, delete_records
from infra.kafka.client_config import agency_topic
from infra.log.reader import log_size
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.registrar.pausing import IN_A_ROW, impatient, until_paused
from tests.world.commands import yesser, yesser_json
from tests.world.records import LABOUR, registered, said
from tests.world.registrars import (
    found,
    halts,
    ids,
    log_of,
    registrar,
    require_whole_log,
    until_ready,
    until_size,
    until_topic_halted,
)
from tests.world.topics import (
    HEALTH_TOPIC,
    LABOUR_TOPIC,
    PLATFORM_TOPIC,
    drop_topic,
    make_topics,
    records,
    remake_topic,
    send,
)
from tests.world.waits import running, until


async def test_a_paused_topic_is_read_when_a_person_says_so(settings: Settings, connection: Connection) -> None:
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
        await until_paused(connection, HEALTH_TOPIC, paused=False)
        await send(settings, HEALTH_TOPIC, *[b"noise"] * 30)
        await until_paused(connection, HEALTH_TOPIC)
        assert await log_size(connection) == 24 + IN_A_ROW, "what comes later is counted again"
        await require_whole_log(settings, connection)


def events(code: str, letter: str, count: int) -> list[bytes]:
    return [said(f"{letter}{n}", agency=Agency(code, "agency")) for n in range(count)]


OLD, NEW = events("health", "e", 4), events("health", "x", 5)


async def test_halted_topics_are_read_again_without_a_restart_and_another_goes_on_meanwhile(
    settings: Settings, connection: Connection
) -> None:
    cases: dict[str, tuple[list[bytes] | None, range, range, list[str]]] = {
        "health": (OLD, range(4, 4), range(0), []),  # restored
        "justice": (events("justice", "e", 2), range(2, 4), range(2), []),  # its tail is lost
        "interior": (events("interior", "x", 5), range(4, 4), range(4), ["x4"]),  # created anew
        "finance": (None, range(4), range(0), []),  # gone
    }
    await found(settings, *cases, "labour")
    for code in cases:
        await send(settings, agency_topic(code), *events(code, "e", 4))
    async with running(registrar(settings)):
        await until_size(connection, 7 + 4 * 4)
        for code in cases:
            await drop_topic(settings, agency_topic(code))
            await until_topic_halted(connection, agency_topic(code))
        await send(settings, LABOUR_TOPIC, said("other", agency=LABOUR))
        await until_size(connection, 7 + 4 * 4 + 1)
        for code, (stands, missing, unread, _) in cases.items():
            if stands is not None:
                await make_topics(settings, code)
                await send(settings, agency_topic(code), *stands)
            halted = await look_at(connection, settings, code)
            assert halted.is_restored is (stands is OLD)
            assert (halted.missing, halted.unread) == (missing, unread)
            assert len(halted.words()["ar"]) == len(halted.words()["en"])
            await lift_halt(connection, settings, code, halted)
            agency = Agency(code, "agency")
            await send(settings, agency_topic(code), said("after", agency=agency), said("e0", agency=agency))
        await until_size(connection, 7 + 4 * 4 + 1 + 5)
        repeated = "SELECT count(DISTINCT topic) = 4 FROM log.duplicate"
        await until(lambda: connection.fetchval(repeated), "what is sent again is a duplicate")
        assert await halts(connection) == {}
        await require_whole_log(settings, connection)
    log = await log_of(connection)
    for code, (*_, read_then) in cases.items():
        assert [e.id for e in log if e.agency == code] == ["e0", "e1", "e2", "e3", *read_then, "after"], code


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
    assert (await ids(connection))[3:] == ["e0", "e1", "e2", "e3", "x2", "x3", "x4"]


async def test_what_stands_there_when_a_halt_is_lifted_has_to_stay(settings: Settings, connection: Connection) -> None:
    await found(settings, "health", "labour")
    for code in ("health", "labour"):
        await send(settings, agency_topic(code), *events(code, "e", 4))
    async with running(registrar(settings)):
        await until_size(connection, 4 + 2 * 4)
    lost_and_anew = {"health": events("health", "e", 2), "labour": events("labour", "x", 4)}
    for stands in (lost_and_anew, {code: events(code, "y", 6) for code in lost_and_anew}):
        for code, contents in stands.items():
            await remake_topic(settings, code)
            await send(settings, agency_topic(code), *contents)
        async with running(registrar(settings)):
            for code in stands:
                await until_topic_halted(connection, agency_topic(code))
                await lift_halt(connection, settings, code, await look_at(connection, settings, code))
    assert "y0" not in await ids(connection)


async def test_without_yes_it_is_only_said_what_would_be_done(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    await connection.execute(
        "INSERT INTO log.read_position (topic, next_offset, last_record_sha256, halted_reason) "
        "VALUES ($1, 3, $2, 'lost')",
        HEALTH_TOPIC,
        bytes(32),
    )
    asked = await yesser(settings, "registrar", "unhalt", "health")
    assert asked.exit_code == 1
    assert "0 … 2 are missing" in asked.stdout
    assert "السجلات 0 … 2" in asked.stdout
    assert HEALTH_TOPIC in await halts(connection)
    code, document = await yesser_json(settings, "registrar", "unhalt", "health", "--yes")
    assert (code, document["lifted"]) == (0, True)
    assert await halts(connection) == {}
    assert [record.value for record in await records(settings, HEALTH_TOPIC)] == [None] * 3


async def test_a_refused_event_of_the_platform_alarms(settings: Settings, connection: Connection) -> None:
    settings = impatient(settings, wait_s=600)
    await make_topics(settings)
    one = registrar(settings)
    assert not one.readiness().ready
    async with running(one):
        await until_ready(one)
        assert one.readiness().details["lag"] == 0, "there is nothing to read"
        await found(settings)
        await until_size(connection, 2)
        await send(settings, PLATFORM_TOPIC, b"{}", b"[]")
        await until_size(connection, 4)
        await until_alarmed(one, "index 2")
        await send(settings, PLATFORM_TOPIC, registered("health"))
        await until_size(connection, 5)
    one = registrar(settings)
    async with running(one):
        await until_alarmed(one, "index 2")  # after a restart too
        with pytest.raises(NothingToRelease, match="refused at 1"):
            await acknowledge(connection, [1, 2], "no such thing")
        assert await acknowledge(connection, None, "a fold of ours was wrong; corrected") == [2, 3]
        assert await acknowledge(connection, None, "there is nothing more") == []
        assert await acknowledge(connection, [3], "the same fold") == [3]
        await until_ready(one)


async def until_alarmed(one: Registrar, words: str) -> None:
    await until(lambda: words in str(one.readiness().details.get("halted")), f"it alarms of {words}")
