"""One agency's records keep no other's waiting: counted in records and batches, and not timed."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.registrar.batch import Batch
from consumers.registrar.journal import Journal
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.records import LABOUR, said
from tests.world.registrars import found, registrar, require_whole_log, until_size
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, send
from tests.world.waits import running, until

FLOOD, FEW = 3_000, 20


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The batches that were committed."""
    committed: list[Batch] = []
    commit = Journal.commit

    async def note(self: Journal, batch: Batch, *rest: Any) -> list[bytes]:
        leaves = await commit(self, batch, *rest)
        committed.append(batch)
        return leaves

    monkeypatch.setattr(Journal, "commit", note)
    return committed


async def test_a_few_events_beside_a_backlog_are_registered_within_a_few_batches(
    settings: Settings, connection: Connection, batches: list[Batch]
) -> None:
    settings = settings.model_copy(update={"batch_records_max": 50})
    await found(settings, "health", "labour")
    await send(settings, HEALTH_TOPIC, *(said(f"e{n}") for n in range(FLOOD)))
    async with running(registrar(settings)):
        await until(lambda: any(HEALTH_TOPIC in batch.positions for batch in batches), "the backlog is read")
        await send(settings, LABOUR_TOPIC, *(said(f"e{n}", agency=LABOUR) for n in range(FEW)))
        acknowledged = len(batches)
        await until_size(connection, 4 + FLOOD + FEW)
        await require_whole_log(settings, connection)
    assert all(len(batch.entries) <= 50 for batch in batches)
    last = max(n for n, batch in enumerate(batches) if LABOUR_TOPIC in batch.positions)
    assert acknowledged < len(batches) - 30, "most of the backlog was still waiting"
    assert last <= acknowledged + 20
