"""The rows of a batch are freed when it is applied: a garbage collector that has to find them stops the process."""

from __future__ import annotations

import gc

from consumers.models.registry import CONSUMERS
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import UnitOfWork
from tests.world.logs import apply_live, history_bytes, write_log


async def test_no_rows_are_left_to_the_garbage_collector(connection: Connection) -> None:
    raw = history_bytes(12, 300)
    await write_log(connection, raw)
    for name, consumer in CONSUMERS.items():
        gc.collect()
        gc.disable()
        try:
            await apply_live(connection, consumer, raw)
            assert [found for found in gc.get_objects() if isinstance(found, UnitOfWork)] == [], name
        finally:
            gc.enable()
