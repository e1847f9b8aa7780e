"""The loop of a term: what is validated is committed while nothing new arrives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from consumers.registrar.backlog import Backlog
from consumers.registrar.batch import Reading
from consumers.registrar.session import RegistrarSession
from infra.settings import Settings
from tests.virtual_time import virtual
from tests.world.records import HEALTH, NOW, Record, said, topic_of

RECORDS, BATCH = 12, 4


@virtual
async def test_a_full_batch_is_committed_while_a_read_waits_for_records(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, batch_records_max=BATCH)
    stub: Any = SimpleNamespace()
    session: Any = RegistrarSession(stub, stub, settings, lambda: NOW, stub)
    backlog = Backlog(1 << 30, 1 << 30, 0)
    backlog.add({topic_of(HEALTH): [Record(n, said(f"e{n}")) for n in range(RECORDS)]})
    session.reader = SimpleNamespace(backlog=backlog, read=lambda: asyncio.Event().wait())  # nothing more arrives
    session.pauses = SimpleNamespace(probe_due=lambda reader: None)
    session.agencies = {topic_of(HEALTH): HEALTH}
    stop, committed = asyncio.Event(), []

    async def commit(readings: list[Reading]) -> None:
        await asyncio.sleep(0.01)  # the next batch is full before
        committed.append(sum(len(reading.records) for reading in readings))
        if sum(committed) == RECORDS:
            stop.set()

    session._commit = commit
    await asyncio.wait_for(session._register(stop), 10)
    assert committed == [BATCH] * (RECORDS // BATCH)
