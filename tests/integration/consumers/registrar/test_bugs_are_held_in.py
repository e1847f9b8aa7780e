"""A bug in the validation of one record, on the real Kafka and PostgreSQL: its topic is halted at the record, and the
others are registered meanwhile. After the bug is gone and the halt is lifted, nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.registrar import backlog
from consumers.registrar.topics.topic_admin import lift_halt, look_at
from events.validation.validate import validate
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.records import LABOUR, said
from tests.world.registrars import at_work, halts, log_of, until_size, until_topic_halted
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, send
from tests.world.waits import until

UNLUCKY = 3
RECORDS = 8
FOUNDED = 4


async def test_a_bug_halts_the_topic_of_its_record_alone(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [said(f"h{number}") for number in range(RECORDS)]

    def plant(value: bytes | None, *rest: Any) -> Any:
        if value == records[UNLUCKY]:
            raise IndexError(value)
        return validate(value, *rest)

    epoch = "SELECT epoch FROM platform.lease WHERE name = 'registrar'"
    async with at_work(settings, connection, "health", "labour") as one:
        began = await connection.fetchval(epoch)
        with monkeypatch.context() as planted:
            planted.setattr(backlog, "validate", plant)
            await send(settings, HEALTH_TOPIC, *records)
            await until_topic_halted(connection, HEALTH_TOPIC)
            await send(settings, LABOUR_TOPIC, said("l0", agency=LABOUR))
            await until_size(connection, FOUNDED + UNLUCKY + 1)
            halted = await look_at(connection, settings, "health")
            assert halted.next_offset == UNLUCKY, "what is before it is registered"
            assert halted.is_restored
            assert f"the record at {HEALTH_TOPIC}/0/{UNLUCKY} meets a bug" in halted.reason
            assert f"(IndexError at {__name__}:" in halted.reason
            told = f"{HEALTH_TOPIC} is halted: {halted.reason}"
            await until(lambda: one.readiness().details.get("halted") == told, "it says so")
            assert not one.readiness().ready
            # Lifted too early: it meets the bug again.
            await lift_halt(connection, settings, "health", halted)
            await until_topic_halted(connection, HEALTH_TOPIC)
            assert (await look_at(connection, settings, "health")).next_offset == UNLUCKY
        await send(settings, HEALTH_TOPIC, said("h8"))
        await lift_halt(connection, settings, "health", await look_at(connection, settings, "health"))
        await until_size(connection, FOUNDED + RECORDS + 2)
        assert await connection.fetchval(epoch) == began, "no term ended"
    assert await halts(connection) == {}
    log = await log_of(connection)
    assert [entry.id for entry in log if entry.agency == "health"] == [f"h{number}" for number in range(RECORDS + 1)]
    assert [entry.address for entry in log if entry.agency == "health"] == [
        f"{HEALTH_TOPIC}/0/{offset}" for offset in range(RECORDS + 1)
    ]
