"""A topic of only invalid or repeated records is paused alone: nothing of it is skipped, and its agency can see why."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from consumers.registrar.registrar import Registrar
from events.validation.verdicts import Agency
from infra.kafka.client_config import agency_topic
from infra.log.reader import log_size
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.registrar.cut_commits import cut_commits
from tests.integration.consumers.registrar.pausing import (
    CONFLICTS,
    DUPLICATES,
    FOUNDED,
    IN_A_ROW,
    impatient,
    pause_of,
    until_paused,
)
from tests.world.records import HEALTH, LABOUR, said
from tests.world.registrars import at_work, ids, registrar, require_whole_log, until_size
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, send
from tests.world.waits import running, until


def tells_of_its_pause(one: Registrar) -> bool:
    state = one.readiness()
    return state.ready and state.details["lag"] == 0 and state.details.get("paused") == one.progress.paused != {}


async def until_logged(connection: Connection, event_id: str) -> None:
    async def is_there() -> bool:
        return event_id in await ids(connection)

    await until(is_there, f"{event_id} is in the log")


async def test_noise_pauses_its_topic_until_a_good_record(settings: Settings, connection: Connection) -> None:
    settings = impatient(settings, wait_s=1.0)
    with capture_logs() as lines:
        async with at_work(settings, connection, "health", "labour") as one:
            await send(settings, HEALTH_TOPIC, *[b"noise"] * (IN_A_ROW + 2), said("good"), said("later"))
            await until_paused(connection, HEALTH_TOPIC)
            first_until = await pause_of(connection, HEALTH_TOPIC)
            await send(settings, LABOUR_TOPIC, said("other", agency=LABOUR))
            await until_logged(connection, "other")
            assert await log_size(connection) == FOUNDED + IN_A_ROW + 1, "the noise behind the limit is not read"
            assert await pause_of(connection, HEALTH_TOPIC) == first_until, "the other was registered during the pause"
            await until(lambda: tells_of_its_pause(one), "it is ready, and does not count what is held back as its lag")
            await until_size(connection, FOUNDED + IN_A_ROW + 1 + 4)
            await until_paused(connection, HEALTH_TOPIC, paused=False)
            assert "paused" not in one.readiness().details
            await require_whole_log(settings, connection)
    assert await connection.fetchval("SELECT count(*) FROM log.refusal") == IN_A_ROW + 2
    assert (await ids(connection))[-2:] == ["good", "later"]
    assert sum(line["event"] == "a topic is paused" for line in lines) == 1, "a pause is said once"


def repeated(kind: str, agency: Agency, count: int) -> list[bytes]:
    """The same event, or others with its id."""
    return [said("first", "word" if kind == "duplicate" else f"word {n}", agency=agency) for n in range(count)]


async def test_endless_duplicates_or_conflicts_pause_their_topic(settings: Settings, connection: Connection) -> None:
    settings = impatient(settings, wait_s=1.0)
    other, entries = Agency("interior", "agency"), FOUNDED + 1
    async with at_work(settings, connection, "health", "labour", other.code):
        for kind, limit, agency in (("duplicate", DUPLICATES, HEALTH), ("conflict", CONFLICTS, LABOUR)):
            topic, useless = agency_topic(agency.code), repeated(kind, agency, limit + 3)
            ends = [said(f"{word}-{kind}", agency=agency) for word in ("good", "later")]
            await send(settings, topic, said("first", agency=agency), *useless, *ends)
            await until_paused(connection, topic)
            [row] = await connection.fetch("SELECT * FROM log.read_position WHERE topic = $1", topic)
            assert (row["next_offset"], row["paused_cause"]) == (1 + limit, kind)
            assert row["paused_reason"]["en"].startswith(f"{limit} records ")
            await send(settings, agency_topic(other.code), said(f"beside-{kind}", agency=other))
            await until_logged(connection, f"beside-{kind}")
            assert await pause_of(connection, topic) is not None
            await until_paused(connection, topic, paused=False)
            entries += 4 + (0 if kind == "duplicate" else limit + 3)
            await until_size(connection, entries)
            assert (await ids(connection))[-2:] == [f"good-{kind}", f"later-{kind}"]
        await require_whole_log(settings, connection)


async def test_a_pause_is_counted_over_epochs_and_outlives_the_registrar(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = impatient(settings, wait_s=600)
    cut = cut_commits(monkeypatch, settings, before=lambda batch: batch.refusals, after=lambda batch: batch.refusals)
    async with at_work(settings, connection, "health", "labour"):
        await send(settings, HEALTH_TOPIC, *[b"noise"] * (IN_A_ROW - 2))
        await until_size(connection, FOUNDED + IN_A_ROW - 2)
    assert cut == [1, 1]
    position = "SELECT breaker_levels, paused_times FROM log.read_position WHERE topic = $1"
    *kinds, of_bytes = await connection.fetchval(position, HEALTH_TOPIC)
    assert kinds == [0, 0, (IN_A_ROW - 2) * 50], "nothing is forgotten or counted twice"
    noise_bytes, rest = divmod(of_bytes, (IN_A_ROW - 2) * 50)
    assert (noise_bytes >= len(b"noise"), rest) == (True, 0), "each record once, with its headers"
    async with running(registrar(settings)):
        await send(settings, HEALTH_TOPIC, b"noise")
        await until_size(connection, FOUNDED + IN_A_ROW - 1)
        assert await pause_of(connection, HEALTH_TOPIC) is None
        await send(settings, HEALTH_TOPIC, *[b"noise"] * 5)
        await until_paused(connection, HEALTH_TOPIC)
        assert await log_size(connection) == FOUNDED + IN_A_ROW
    async with running(registrar(settings)):
        await send(settings, LABOUR_TOPIC, said("other", agency=LABOUR))
        await until_size(connection, FOUNDED + IN_A_ROW + 1)
        assert await pause_of(connection, HEALTH_TOPIC) is not None
    assert await log_size(connection) == FOUNDED + IN_A_ROW + 1
    await connection.execute("UPDATE log.read_position SET paused_until = now() WHERE topic = $1", HEALTH_TOPIC)
    async with running(registrar(settings)):
        await until_size(connection, FOUNDED + IN_A_ROW + 2)
        await require_whole_log(settings, connection)
    [(_, times)] = await connection.fetch(position, HEALTH_TOPIC)
    assert times == 2, "one record of it was read and refused"
