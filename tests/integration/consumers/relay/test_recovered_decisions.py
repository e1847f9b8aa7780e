"""After `yesser recover` nothing is decided again: what the log has is dropped, what it lacks waits for a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from consumers.relay.decisions import NotHeld, act
from consumers.relay.relay import CLAIM_PREFIX, PlatformOutbox, Relay
from consumers.replay.pipeline.pipeline import Pipeline
from events.wire.entry import Entry
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork
from infra.settings import Settings
from tests.corners import execute
from tests.integration.consumers.replay.pipeline.counting import COUNTING, fold, until_position
from tests.stack import superusers_address
from tests.world.logs import grow, ship
from tests.world.records import RECORDED
from tests.world.topics import PLATFORM_TOPIC, make_topics, records
from tests.world.waits import running, until

SIZE = 10


def decided_at(index: int) -> str:
    return f"triggered.C.i{index}"


def decision(index: int, cause: int, recorded: str = RECORDED) -> OutboxEvent:
    data = {"campaign_id": f"C.i{index}"}
    return OutboxEvent(decided_at(index), "campaign.triggered", f"campaign/C.i{index}", data, recorded, cause)


def decide(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Something of each entry, caused by the entry before it, as by a fact that had waited."""
    fold(ws, entries)
    return [decision(entry.index, max(0, entry.index - 1), entry.recorded) for entry in entries]


DECIDING = replace(COUNTING, fold=decide)


@pytest.fixture(autouse=True)
async def _may_decide(settings: Settings) -> None:
    """The consumer of these tests has the right that those have who decide."""
    await execute(
        superusers_address(settings),
        "GRANT INSERT ON platform.outbox TO yesser_counting;"
        " CREATE POLICY counting ON platform.outbox FOR INSERT TO yesser_counting WITH CHECK (true)",
    )


async def log_knows(connection: Connection, *indexes: int) -> None:
    """The log has these decisions, with other bytes: an earlier release made them."""
    for index in indexes:
        claim = "substring(sha256($1::bytea || convert_to($2, 'UTF8')) FOR 16)"
        await connection.execute(
            f"INSERT INTO log.event_id VALUES ({claim}, '\\x00'::bytea, 1)", CLAIM_PREFIX, decided_at(index)
        )


async def sent(settings: Settings) -> list[str]:
    return [_id(record.value) for record in await records(settings, PLATFORM_TOPIC)]


def _id(value: bytes) -> str:
    return value.partition(b'"id":"')[2].partition(b'"')[0].decode()


async def until_sent(settings: Settings, connection: Connection, ids: Sequence[str]) -> None:
    async def is_sent() -> bool:
        waiting: int = await connection.fetchval(
            "SELECT count(*) FROM platform.outbox WHERE held_at IS NULL OR released_at IS NOT NULL"
        )
        return waiting == 0 and len(await sent(settings)) >= len(ids)

    await until(is_sent, "the relay has sent what it sends")
    assert await sent(settings) == list(ids)


async def held(connection: Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT event_id FROM platform.outbox WHERE held_at IS NOT NULL AND discarded_at IS NULL ORDER BY 1"
    )
    return [row["event_id"] for row in rows]


async def test_what_is_decided_on_recovered_entries_is_not_sent_again_and_a_person_sends_or_discards_the_rest(
    settings: Settings, connection: Connection
) -> None:
    await make_topics(settings)
    await grow(settings, SIZE)
    await log_knows(connection, 0, 1, 8)
    await connection.execute("UPDATE log.state SET recovered_to = 8")
    relay = Relay(settings)
    async with running(Pipeline(DECIDING, settings), relay):
        await until_position(connection, SIZE)
        await until_sent(settings, connection, [decided_at(8), decided_at(9)])
        assert await held(connection) == [decided_at(i) for i in range(2, 8)]
        await until(
            lambda: relay.readiness().details.get("decisions_held") == 6, "the relay says how many wait for a person"
        )
        await log_knows(connection, 7)  # it was on its way when the copy was made
        with pytest.raises(NotHeld, match=re.escape(decided_at(7))):
            await act(connection, "send", [decided_at(7)])
        assert await act(connection, "discard", [decided_at(2)]) == [decided_at(2)]
        with pytest.raises(NotHeld, match=re.escape(decided_at(2))):
            await act(connection, "send", [decided_at(2)])
        assert await act(connection, "send", [decided_at(5), decided_at(4)]) == [decided_at(5), decided_at(4)]
        await until_sent(settings, connection, [decided_at(i) for i in (8, 9, 4, 5)])
    assert await act(connection, "discard", None) == [decided_at(3), decided_at(6)]
    assert await act(connection, "send", None) == []
    trail = await connection.fetch("SELECT command FROM platform.trail ORDER BY at")
    assert "decisions send triggered.C.i5 triggered.C.i4" in [row["command"] for row in trail]


async def test_nothing_is_sent_while_the_database_is_an_older_copy(settings: Settings, connection: Connection) -> None:
    """A consumer that is behind decides on entries of the copy: on those too it has decided before."""
    await make_topics(settings)
    await grow(settings, 3)
    await ship(settings, range(5))
    relay = Relay(settings)
    async with running(relay):
        await outbox_table.write(connection, [decision(1, 1)], 2)
        await until(lambda: relay.readiness().details.get("halted") is not None, "the relay halts")
        said = f"{settings.log_topic} holds index 4, but the database holds 3 entries only"
        assert said in str(relay.readiness().details["halted"])
        assert await records(settings, PLATFORM_TOPIC) == []
        await grow(settings, 2)
        await connection.execute("UPDATE log.state SET recovered_to = size")
        await until(lambda: relay.readiness().ready, "the relay goes on after the recovery")
        await until(lambda: held(connection), "what was decided before is held")
        assert await held(connection) == [decided_at(1)]
    assert await records(settings, PLATFORM_TOPIC) == []


class Overtaken:
    """The connection of a relay that is suspended after it read the outbox: meanwhile its successor holds what is
    there, and a person sends it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._resumed = False

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        rows = list(await self._connection.fetch(query, *arguments))
        if not self._resumed:
            self._resumed = True
            await PlatformOutbox().unsent(self._connection, SIZE)
            await act(self._connection, "send", None)
        return rows

    async def fetchval(self, query: str, *arguments: object) -> Any:
        return await self._connection.fetchval(query, *arguments)


async def test_a_suspended_relay_drops_nothing_its_successor_held(settings: Settings, connection: Connection) -> None:
    await grow(settings, 3)
    await connection.execute("UPDATE log.state SET recovered_to = size")
    await outbox_table.write(connection, [decision(1, 1)], 2)
    messages = await PlatformOutbox().unsent(cast(Connection, Overtaken(connection)), SIZE)
    assert [_id(message.value) for message in messages] == [decided_at(1)], "what a person sends is lost"
