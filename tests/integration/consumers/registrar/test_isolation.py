"""One agency's records keep no other's waiting: counted in records and batches, and not timed."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest

from consumers.registrar import backlog
from consumers.registrar.batch import Batch
from consumers.registrar.journal import Journal
from events.validation.validate import validate
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.records import LABOUR, said
from tests.world.registrars import found, log_of, registrar, require_whole_log, terminate, until_size
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


async def test_every_epoch_commits_what_it_has_validated_of_costly_records(
    settings: Settings, connection: Connection, batches: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions are ended again and again; an epoch that had to validate all first would never end."""
    costly = 80

    def slow(value: bytes | None, *rest: Any) -> object:
        if value == b"costly":
            end = time.thread_time() + 0.02
            while time.thread_time() < end:
                pass
        return validate(value, *rest)

    def has_committed(count: int) -> bool:
        return len(batches) >= count

    monkeypatch.setattr(backlog, "validate", slow)
    settings = settings.model_copy(update={"breaker_refused_in_a_row_max": 1_000})
    await found(settings, "health", "labour")
    await send(settings, HEALTH_TOPIC, *[b"costly"] * costly)
    async with running(registrar(settings)):
        for epoch in range(1, 4):
            await until(partial(has_committed, len(batches) + 3), f"epoch {epoch} commits some of them")
            await terminate(settings, "registrar%")
        await send(settings, LABOUR_TOPIC, said("other", agency=LABOUR))
        await until_size(connection, 4 + costly + 1)
        await require_whole_log(settings, connection)
    assert max(len(batch.refusals) for batch in batches) <= 6, "100 ms of 20 ms each"
    ids = [entry.id for entry in await log_of(connection)]
    assert ids.index("other") < len(ids) - 1, "it did not wait for all of them"
