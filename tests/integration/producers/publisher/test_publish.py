"""Publishing on the real Kafka and PostgreSQL: agencies, addresses, verdicts by line."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from infra.errors import WaitTimedOut
from infra.log.reader import read_entries
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.genesis import OFFICE, genesis
from producers.agencies.register import NewAgency, add_agencies, list_agencies, register
from producers.errors import NotAccepted, RecordsLost, RegistrationFailed, TopicHalted
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.run import Progress, start_sequence, wait_for_verdicts
from tests.world.senders import HEALTH, initiative, now, publish, stored, with_health


async def test_genesis_is_written_once(connection: Connection) -> None:
    assert await genesis(connection, now) is True
    assert await genesis(connection, now) is False
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 2


async def test_of_concurrent_registrations_one_writes_the_event(settings: Settings, pool: Any) -> None:
    async def once() -> bool:
        async with pool.acquire() as own:
            return await register(own, HEALTH, now)

    assert sorted(await asyncio.gather(*(once() for _ in range(4)))) == [False, False, False, True]


async def test_an_agency_of_another_role_or_name_is_refused(connection: Connection) -> None:
    await register(connection, HEALTH, now)
    for other in (
        NewAgency("health", "office", HEALTH.name_ar, HEALTH.name_en),
        NewAgency("health", "agency", HEALTH.name_ar, "Another ministry"),
    ):
        with pytest.raises(RegistrationFailed, match="health is already registered as agency"):
            await register(connection, other, now)


async def test_a_name_that_the_registrar_would_refuse_is_never_written(connection: Connection) -> None:
    for name in ("", "\x07", "National id 1000000008"):
        with pytest.raises(RegistrationFailed, match="health cannot be registered: "):
            await register(connection, NewAgency("health", "agency", "وزارة الصحة", name), now)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 0


async def test_agencies_stand_in_the_log_in_their_order_and_adding_one_again_changes_nothing(
    settings: Settings, connection: Connection
) -> None:
    async with with_health(settings, connection):
        assert await add_agencies(connection, settings, [HEALTH], now) == []
        rows = await list_agencies(connection)
        entries = [orjson.loads(raw)["event"]["data"] for raw in await read_entries(connection, 0, 10)]
    first_three = [("platform", "platform"), ("yesser", "office"), ("health", "agency")]
    assert [(row["code"], row["role"]) for row in entries] == first_three
    assert [row["code"] for row in rows] == ["platform", OFFICE.code, "health"]
    assert all(row["is_read"] for row in rows)
    assert not (settings.secrets_folder / "agency-health").exists(), "no password of an agency is kept"


async def test_each_line_has_its_verdict(settings: Settings, connection: Connection) -> None:
    one, two = initiative("one"), initiative("two")
    lines = [
        orjson.dumps(one),
        b"",
        orjson.dumps({name: value for name, value in two.items() if name not in ("specversion", "source")}),
        orjson.dumps(one, option=orjson.OPT_SORT_KEYS),
        orjson.dumps(initiative("two", "Another name")),
        b"not json",
        b"x" * 130_001,
        b"\xff",
        orjson.dumps(initiative("three")),
    ]
    async with with_health(settings, connection):
        report = await publish(settings, b"\n".join(lines))
    document = report.document()
    problems = document.pop("problems")
    assert document == {
        "lines": 8,
        "accepted": 3,
        "duplicates": 1,
        "conflicts": 1,
        "refused": 3,
        "first_index": 3,
        "last_index": 8,
    }
    assert [(row["line"], row["code"], row["pointer"], row["index"]) for row in problems] == [
        (5, "conflict", "", 5),
        (6, "not-json", "", 6),
        (7, "too-large", "", None),
        (8, "not-utf8", "", 7),
    ]


async def test_addresses_follow_each_other_and_lead_to_entries(settings: Settings, connection: Connection) -> None:
    values = [orjson.dumps(initiative(f"n{number}")) for number in range(2_000)]
    async with with_health(settings, connection):
        async with AgencyPublisher(settings, "health") as publisher:
            addresses = await publisher.publish(values)
        report = await publish(settings, b"\n".join(values))
        entries = [orjson.loads(raw) for raw in await read_entries(connection, 3, 2_000)]
    assert [address.offset for address in addresses] == list(range(2_000))
    assert [entry["from"] for entry in entries] == [str(address) for address in addresses]
    assert [entry["event"]["id"] for entry in entries] == [f"n{number}" for number in range(2_000)]
    assert (report.document()["duplicates"], report.document()["first_index"]) == (2_000, 3)


async def test_sequences_go_on_where_the_last_run_ended(settings: Settings, connection: Connection) -> None:
    async with with_health(settings, connection):
        assert await start_sequence(settings, "health", 0, 10) == 1
        await publish(settings, b"\n".join(orjson.dumps(initiative(f"n{number}")) for number in range(3)), 1)
        assert await start_sequence(settings, "health", 3, 10) == 4
        (raw,) = await read_entries(connection, 5, 1)
    assert orjson.loads(raw)["event"]["sequence"] == "00000000000000000003"


async def test_a_line_without_a_verdict_is_never_said_to_be_accepted(
    settings: Settings, connection: Connection
) -> None:
    async with with_health(settings, connection):
        await publish(settings, orjson.dumps(initiative("one")))
    report = await stored(settings, orjson.dumps(initiative("two")))
    with pytest.raises(WaitTimedOut):
        await wait_for_verdicts(settings, "health", report, Progress(), 0.2)
    await connection.execute(
        "UPDATE log.read_position SET next_offset = next_offset + 1 WHERE topic = 'agency.health.events'"
    )
    with pytest.raises(RecordsLost, match="lines without a verdict: 1"):
        await wait_for_verdicts(settings, "health", report, Progress(), 10)
    await connection.execute("UPDATE log.read_position SET halted_reason = 'its tail was lost'")
    with pytest.raises(TopicHalted, match="its tail was lost"):
        await publish(settings, orjson.dumps(initiative("three")))


async def test_without_credentials_nothing_is_tried(settings: Settings) -> None:
    if settings.kafka_user is not None:
        pytest.skip("this Kafka was given with a user for everything")
    settings.secret_path("kafka", "operator").unlink()
    with pytest.raises(NotAccepted, match="yesser agencies add nobody"):
        async with AgencyPublisher(settings, "nobody"):
            pass
