"""The rows of a batch are freed when it is applied: a garbage collector that has to find them stops the process."""

from __future__ import annotations

import gc

import pytest

from consumers.fold.consumer import Consumer
from consumers.registry import CONSUMERS
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import UnitOfWork
from tests.oracle.history import MIXED, entries_from, generate
from tests.world.logs import apply_live, raw_entries, write_log


@pytest.mark.parametrize("consumer", CONSUMERS.values(), ids=CONSUMERS.keys())
async def test_no_rows_are_left_to_the_garbage_collector(connection: Connection, consumer: Consumer) -> None:
    raw = raw_entries(entries_from(generate(12, 300, MIXED)))
    await write_log(connection, raw)
    gc.collect()
    gc.disable()
    try:
        await apply_live(connection, consumer, raw)
        assert [found for found in gc.get_objects() if isinstance(found, UnitOfWork)] == []
    finally:
        gc.enable()
