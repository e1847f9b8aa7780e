"""The line between the registrar and its database carries nothing for a while: the log goes on by itself."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from infra.log.reader import log_size
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.faults.machines import machine, publish
from tests.faults.services import pause
from tests.scenarios.figures import tell
from tests.world.registrars import found, require_consistent, until_signed, until_size
from tests.world.waits import until

pytestmark = [pytest.mark.stack, pytest.mark.accept]

CUT_S = 30
GOES_ON_S = 60
FLOWS_ENTRIES = 50
DIRECTIONS = ({"questions": True, "answers": False}, {"questions": False, "answers": True}, {"questions": True})


async def until_it_grows(connection: Connection) -> float:
    """Seconds until the log has grown well beyond its size of now."""
    size, began = await log_size(connection), time.monotonic()

    async def grown() -> bool:
        return await log_size(connection) > size + FLOWS_ENTRIES

    await until(grown, "the log grows", GOES_ON_S)
    return time.monotonic() - began


async def test_a_line_that_carries_nothing_for_half_a_minute_in_either_direction_loses_nothing(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    await found(settings, "health")
    with machine(settings, tmp_path / "one", "run", "registrar") as one:
        one.start()
        await until_signed(connection, 3)
        stop = asyncio.Event()
        load = asyncio.create_task(publish(settings, stop))
        for direction in DIRECTIONS:
            await until_it_grows(connection)
            one.lines[0].freeze(**direction)
            await asyncio.to_thread(pause, CUT_S)
            one.lines[0].thaw()
            seconds = await until_it_grows(connection)
            tell(f"a line to the database cut for {CUT_S} s ({direction}): the log goes on after {seconds:.1f} s")
        stop.set()
        sent = await load
        await until_size(connection, 3 + sent)
        await until_signed(connection, 3 + sent)
    await require_consistent(connection, settings.model_copy(update={"home": tmp_path / "one"}))
