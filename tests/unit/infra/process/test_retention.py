"""Rows whose retention is over are deleted some at a time; what goes wrong is logged once and ends nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import nullcontext
from unittest.mock import AsyncMock

import asyncpg
import pytest
from structlog.testing import capture_logs

from infra.observability.telemetry import exposition
from infra.postgres.connection import Connection
from infra.process.leader_election import Term
from infra.process.retention import ROWS_MAX, keep_retention
from infra.settings import Settings
from tests.virtual_time import virtual
from tests.world.waits import until


class Table:
    """A table with so many rows to delete, of which the first deletions fail."""

    def __init__(self, rows: int, failures: int = 0) -> None:
        self.rows = rows
        self.failures = failures
        self.tries = 0

    async def delete(self, _: Connection, rows_max: int) -> str:
        self.tries += 1
        if self.tries <= self.failures:
            raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")
        deleted = min(rows_max, self.rows)
        self.rows -= deleted
        return f"DELETE {deleted}"


@virtual
async def test_all_are_deleted_in_batches_and_a_failing_table_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = AsyncMock(**{"fetchval.return_value": 8_192})
    monkeypatch.setattr(Term, "connected", lambda *_, **__: nullcontext(connection))
    tables = {"broken": Table(7, failures=3), "large": Table(3 * ROWS_MAX + 1), "empty": Table(0)}
    term = Term(1, asyncio.Event())
    with capture_logs() as lines:
        deletes = {name: table.delete for name, table in tables.items()}
        task = asyncio.create_task(keep_retention(Settings(), term, deletes, rest_s=0.0001, try_again_s=0.001))
        await until(lambda: task.done() or not any(table.rows for table in tables.values()), "all are deleted")
        assert not task.done()
        term.stop.set()
        await task
    assert tables["large"].tries >= 4
    assert Counter((line["event"], line["table"]) for line in lines) == {
        ("rows whose retention is over stay for now", "broken"): 1,
        ("rows whose retention is over are deleted again", "broken"): 1,
    }
    said = exposition().decode()
    assert f'yesser_rows_expired_total{{table="large"}} {3 * ROWS_MAX + 1}.0' in said
    assert 'yesser_table_bytes{table="large"} 8192.0' in said
