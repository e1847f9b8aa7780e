"""What a person may decide: noise is let through, a halted topic is read again, a bug of ours is taken note of."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from consumers.registrar.topics.topic_admin import NothingToRelease, acknowledge, lift_halt, look_at, unpause_topic
from consumers.relay.wait_command import CannotBeReached
from events.validation.verdicts import Agency
from infra.kafka.admin import admin_client, delete_records
from infra.kafka.client_config import agency_topic
from infra.log.reader import log_size
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.registrar.pausing import DUPLICATES, FOUNDED, IN_A_ROW, impatient, until_paused
from tests.world.commands import yesser, yesser_json
from tests.world.records import LABOUR, registered, said
from tests.world.registrars import (
    at_work,
    found,
    halts,
    log_of,
    registrar,
    require_whole_log,
    until_alarmed,
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
    backlog = [said(f"e{n}", agency=LABOUR) for n in range(DUPLICATES - 1)]
    async with at_work(settings, connection, "health", "labour"):
        await send(settings, PLATFORM_TOPIC, *[b"noise"] * (3 * IN_A_ROW))
        await send(settings, LABOUR_TOPIC, *backlog)
        await send(settings, LABOUR_TOPIC, *backlog, said("good", agency=LABOUR))
        size = FOUNDED + 3 * IN_A_ROW + DUPLICATES
        await until_size(connection, size)
        for code in ("platform", "labour"):  # neither the platform's noise nor a backlog that is sent again once
            with pytest.raises(NothingToRelease, match="not paused"):
                await unpause_topic(connection, settings, code, 10)
        await send(settings, HEALTH_TOPIC, *[b"noise"] * 20)
        await until_paused(connection, HEALTH_TOPIC)
        assert await unpause_topic(connection, settings, "health", 20) == 20 - IN_A_ROW
        await until_size(connection, size + 20)
        await send(settings, HEALTH_TOPIC, said("good"))
        await until_size(connection, size + 21)
        await until_paused(connection, HEALTH_TOPIC, paused=False)
        await send(settings, HEALTH_TOPIC, *[b"noise"] * 30)
        await until_paused(connection, HEALTH_TOPIC)
        assert await log_size(connection) == size + 21 + IN_A_ROW, "what comes later is counted again"
        await require_whole_log(settings, connection)


def events(code: str, letter: str, count: int) -> list[bytes]:
    return [said(f"{letter}{n}", agency=Agency(code, "agency")) for n in range(count)]


async def remake(settings: Settings, code: str, contents: list[bytes]) -> None:
    await remake_topic(settings, code)
    await send(settings, agency_topic(code), *contents)


async def test_topics_that_lost_something_halt_alone_stay_halted_and_are_read_again_when_a_person_says_so(
    settings: Settings, connection: Connection
) -> None:
    """Two are mended while the registrar works. One of them breaks again while it is stopped, as two others do."""
    broken = ("health", "justice", "interior", "finance", "education")
    await found(settings, *broken, "labour")
    for code in broken:
        await send(settings, agency_topic(code), *events(code, "e", 4))
    size = 8 + 4 * len(broken)
    async with running(registrar(settings)):
        await until_size(connection, size)
        for code in ("health", "justice", "interior"):
            await drop_topic(settings, agency_topic(code))
            assert "runbook" in await until_topic_halted(connection, agency_topic(code))
        await send(settings, LABOUR_TOPIC, said("other", agency=LABOUR))
        await until_size(connection, size + 1)
        tail_lost = events("justice", "e", 2), range(2, 4), range(2)
        created_anew = events("interior", "x", 5), range(4, 4), range(4)
        for code, (stands, missing, unread) in {"justice": tail_lost, "interior": created_anew}.items():
            await make_topics(settings, code)
            await send(settings, agency_topic(code), *stands)
            await lift(settings, connection, code, Mended(missing, unread))
        await until_size(connection, size + 2)
        health = await halts(connection)
        assert health.keys() == {HEALTH_TOPIC}
        waited = await yesser(settings, "wait")
        assert isinstance(waited.exception, CannotBeReached)
        assert f"{HEALTH_TOPIC} halted: " in str(waited.exception)

    await remake(settings, "justice", events("justice", "y", 6))
    await drop_topic(settings, agency_topic("finance"))
    await send(settings, agency_topic("education"), *events("education", "x", 5))
    async with admin_client(settings) as admin:
        await delete_records(admin, agency_topic("education"), 6)
    async with running(registrar(settings)):
        for code in ("justice", "finance", "education"):
            await until_topic_halted(connection, agency_topic(code))
        reasons = await halts(connection)
        assert reasons[HEALTH_TOPIC] == health[HEALTH_TOPIC]
        assert "the records 4 … 5 were deleted before they were read" in reasons[agency_topic("education")]
        await send(settings, LABOUR_TOPIC, said("another", agency=LABOUR))
        await until_size(connection, size + 3)
        await make_topics(settings, "health")
        await send(settings, HEALTH_TOPIC, *events("health", "e", 4))
        await lift(settings, connection, "health", Mended(range(4, 4), range(0), is_restored=True))
        await lift(settings, connection, "justice", Mended(range(4, 4), range(4)))
        await lift(settings, connection, "finance", Mended(range(4), range(0)))
        await lift(settings, connection, "education", Mended(range(4, 4), range(0), deleted_unread=range(4, 6)))
        for code in broken:
            agency = Agency(code, "agency")
            await send(settings, agency_topic(code), said("after", agency=agency), said("e0", agency=agency))
        await until_size(connection, size + 3 + 2 + 3 + len(broken))
        repeated = "SELECT count(DISTINCT topic) = $1 FROM log.duplicate"
        await until(lambda: connection.fetchval(repeated, len(broken)), "what is sent again is a duplicate")
        assert await halts(connection) == {}
    read_then = {"interior": ["x4"], "justice": ["y4", "y5"], "education": ["x2", "x3", "x4"]}
    log = await log_of(connection)
    for code in broken:
        expected = ["e0", "e1", "e2", "e3", *read_then.get(code, []), "after"]
        assert [e.id for e in log if e.agency == code] == expected, code


@dataclass(frozen=True)
class Mended:
    """What is said of a halted topic before its halt is lifted."""

    missing: range
    unread: range
    deleted_unread: range = range(4, 4)
    is_restored: bool = False


async def lift(settings: Settings, connection: Connection, code: str, expected: Mended) -> None:
    halted = await look_at(connection, settings, code)
    assert Mended(halted.missing, halted.unread, halted.deleted_unread, halted.is_restored) == expected, code
    assert [*halted.sentences()][-1].en == f"Reading resumes at offset {expected.deleted_unread.stop}."
    await lift_halt(connection, settings, code, halted)


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
    assert "السجلات \u20680 … 2\u2069" in asked.stdout
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
