"""Parts of the delivery process that are halted for long, on the real PostgreSQL: what each try opens is closed."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import asyncpg
import pytest

from consumers.delivery.delivery import Delivery
from consumers.delivery.timers import timers
from consumers.delivery.timers.timers import set_off
from consumers.delivery.webhooks.sender import send
from events.errors import Halt
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.waits import running, until

TRIES = 25
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('yesser webhooks', 'yesser delivery timers')"


def connections() -> int:
    gc.collect()
    return sum(type(found) is asyncpg.Connection for found in gc.get_objects())


async def test_parts_that_are_halted_keep_no_connection_of_an_earlier_try(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Webhooks without their key, and timers with a faulty rule file, are tried again every two seconds."""
    tries = 0

    def faulty() -> Any:
        nonlocal tries
        tries += 1
        raise Halt("a rule file is faulty")

    monkeypatch.setattr(timers, "rules_in_force", faulty)
    hasty = settings.model_copy(update={"halted_retry_ms": 10})
    async with running(Delivery(hasty, parts=(send, set_off))):

        async def tried() -> bool:
            return tries > 2

        await until(tried, "both are halted")
        before = connections()

        async def tried_often() -> bool:
            return tries > 2 + TRIES

        await until(tried_often, "they were tried often", every_s=0.01)
        await asyncio.sleep(0)
        # One of each part may be under way, and databases are made for other tests.
        assert connections() <= before + 5
        assert await connection.fetchval(OPEN) <= 4, "one of each part, and one that is ending"
