"""Publishing on the real Kafka and PostgreSQL: agencies, addresses, verdicts by line."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from infra.errors import WaitTimedOut
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.agencies.register import NewAgency, add_agencies, genesis, list_agencies, register
from producers.errors import RecordsLost, RegistrationFailed, TopicHalted
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.over_kafka import start_sequence, wait_for_verdicts
from producers.publisher.report import Progress
from tests.world.documents import as_json
from tests.world.senders import HEALTH, initiative, now, publish, stored, with_health


async def test_genesis_and_an_agency_are_written_once(connection: Connection, pool: Any) -> None:
    for name in ("", "\x07", "National id 1000000008"):
        with pytest.raises(RegistrationFailed, match="health cannot be registered: "):
            await register(connection, NewAgency("health", "agency", "وزارة الصحة", name), now)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 0
    assert await genesis(connection, now) is True
    assert await genesis(connection, now) is False

    async def once() -> bool:
        async with pool.acquire() as own:
            return await register(own, HEALTH, now)

    assert sorted(await asyncio.gather(*(once() for _ in range(4)))) == [False, False, False, True]
    for other in (
        NewAgency("health", "office", HEALTH.name_ar, HEALTH.name_en),
        NewAgency("health", "agency", HEALTH.name_ar, "Another ministry"),
    ):
        with pytest.raises(RegistrationFailed, match="health is already registered as agency"):
            await register(connection, other, now)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 3


async def test_each_published_line_has_its_verdict_in_order(settings: Settings, connection: Connection) -> None:
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
    values = [orjson.dumps(initiative(f"n{number}")) for number in range(2_000)]
    numbered = b"\n".join(orjson.dumps(initiative(f"s{number}")) for number in range(3))
    async with with_health(settings, connection):
        assert await add_agencies(connection, settings, [HEALTH], now) == [], "adding one again changes nothing"
        agencies = await list_agencies(connection)
        report = await publish(settings, b"\n".join(lines))
        async with AgencyPublisher(settings, "health") as publisher:
            addresses = await publisher.publish(values)
        again = as_json((await publish(settings, b"\n".join(values))).document())
        assert await start_sequence(settings, "health", 0, 10) == 1
        await publish(settings, numbered, 1)
        assert await start_sequence(settings, "health", 3, 10) == 4, "sequences go on where the last run ended"
        entries = [orjson.loads(raw) for raw in await read_checked(connection, 0, 3_000)]

    registered = [entry["event"]["data"] for entry in entries[:3]]
    first_three = [("platform", "platform"), ("yesser", "office"), ("health", "agency")]
    assert [(row["code"], row["role"]) for row in registered] == first_three
    assert [(row.code, row.is_read) for row in agencies] == [(code, True) for code, _ in first_three]
    assert not (settings.secrets_folder / "agency-health").exists(), "no password of an agency is kept"

    document = as_json(report.document())
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

    offset = addresses[0].offset
    assert [address.offset for address in addresses] == list(range(offset, offset + 2_000))
    assert [entry["from"] for entry in entries[9:2_009]] == [str(address) for address in addresses]
    assert [entry["event"]["id"] for entry in entries[9:2_009]] == [f"n{number}" for number in range(2_000)]
    assert (again["duplicates"], again["first_index"]) == (2_000, 9)
    assert entries[-1]["event"]["sequence"] == "00000000000000000003"


async def test_a_line_without_a_verdict_is_never_called_accepted(settings: Settings, connection: Connection) -> None:
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
