"""The fan-out topic is deleted while everything runs under load: PostgreSQL is the record, and it heals by itself."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from infra.kafka.admin import admin_client, delete_topics, ensure_log_topics
from infra.log.reader import log_size
from infra.postgres.connection import connect
from infra.settings import Settings
from tests.oracle.history import MIXED, generate
from tests.scenarios.figures import tell
from tests.scenarios.invariants import read_topic
from tests.scenarios.judge import judge
from tests.scenarios.load import differences, publish_all, register
from tests.scenarios.system import fresh_system, until

pytestmark = [pytest.mark.stack, pytest.mark.accept]

LOOK_S = 5


async def delete(settings: Settings, *, make_again: bool) -> None:
    """Delete the log's topic with all that is in it, and make it again, empty, or leave that to the platform."""
    async with admin_client(settings) as admin:
        await delete_topics(admin, [settings.log_topic])
        if make_again:
            await ensure_log_topics(admin, settings)


@pytest.mark.parametrize("make_again", [True, False], ids=["made-again", "left-to-the-platform"])
def test_a_lost_log_topic_is_filled_again(make_again: bool, tmp_path: Path) -> None:
    history = generate(50, 60_000, MIXED)

    def lose_twice(running: list[Future[Any]]) -> None:
        for _ in range(2):
            time.sleep(5)
            tell(f"log topic deleted {'at rest' if all(f.done() for f in running) else 'under load'}")
            asyncio.run(delete(system.settings, make_again=make_again))

    with fresh_system() as system:
        register(system, history)
        reports = publish_all(system, history, tmp_path / "files", meanwhile=lose_twice)
        assert differences(reports, history) == []
        judge(system).require_clean()
        asyncio.run(delete(system.settings, make_again=make_again))
        started = time.monotonic()
        until(lambda: asyncio.run(is_full(system.settings)), 120, "the topic was not filled again")
        tell(f"log topic deleted at rest, full again after {time.monotonic() - started:.1f} s")
        judge(system).require_clean()


async def is_full(settings: Settings) -> bool:
    """Whether the topic ends with the log's last entry."""
    connection = await connect(settings, "judge")
    try:
        size = await log_size(connection)
    finally:
        await connection.close()
    try:
        async with asyncio.timeout(LOOK_S):  # a client waits long for a topic that does not exist
            records = await read_topic(settings, settings.log_topic)
    except (KafkaError, TimeoutError):
        return False
    return bool(records) and max(int(dict(record.headers)["index"]) for record in records) == size - 1
