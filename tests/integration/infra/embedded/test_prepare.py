"""`yesser prepare`: given services are made ready for the processes, down to the log's first two entries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from infra.kafka.admin import admin_client
from infra.postgres.connection import Connection
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from producers.agencies import register


async def test_preparing_makes_topics_and_the_first_two_agencies(
    settings: Settings, connection: Connection, environment: Callable[..., dict[str, str]]
) -> None:
    preparing = await asyncio.create_subprocess_exec(*subprocess_command("prepare", "--json"), env=environment())
    assert await preparing.wait() == 0
    asked = await connection.fetch("SELECT key FROM platform.outbox ORDER BY row_id")
    assert [row["key"] for row in asked] == ["agency/platform", "agency/yesser"]
    async with admin_client(settings) as admin:
        topics = set(await admin.list_topics())
    assert {settings.log_topic, settings.triggers_topic, "agency.platform.events", "agency.yesser.events"} <= topics


async def test_the_first_agencies_come_however_slow_the_machine(settings: Settings, connection: Connection) -> None:
    await register.prepare(settings.model_copy(update={"idle_in_transaction_timeout_ms": 1}))
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 2
