"""A thousand histories, each in batches of its own and with a crash at every commit: the ledger is the oracle's.

A crash comes either just before the commit, so that the batch is rolled back and comes again, or just after it, so that
the next process begins at the stored position and is given a batch that it has in part.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from consumers.pipeline.batch import Batch
from consumers.pipeline.writer import Writer
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.consumer import HANDLERS as HANDLED
from consumers.revenue.read import balances, statements
from events.wire.entry import Entry, parse_entry
from infra.postgres.connection import Connection
from infra.postgres.migrate import create_tables
from infra.postgres.outbox_table import write
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict, short_type
from tests.scenarios.figures import tell
from tests.world.documents import as_json
from tests.world.logs import raw_entries

pytestmark = pytest.mark.accept

HISTORIES = 1_000
EVENTS = 80
BATCH_MAX = 24


class Crash(Exception):
    """The process ends here."""


class Outbox:
    """Writes the outbox, which is the last statement before the commit, and crashes there when `crashes` is set."""

    def __init__(self) -> None:
        self.crashes = False

    async def write(self, *written: Any) -> None:
        await write(*written)
        if self.crashes:
            self.crashes = False
            raise Crash


@pytest.mark.timeout(1_800)
async def test_a_thousand_histories_with_a_crash_at_every_commit(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox()
    monkeypatch.setattr("consumers.pipeline.writer.outbox_table.write", outbox.write)
    commits = settlements = 0
    for seed in range(HISTORIES):
        log = entries_from(generate(seed, EVENTS, REVENUE))
        await start_anew(connection)
        entries = [parse_entry(index, raw) for index, raw in enumerate(raw_entries(log))]
        commits += await apply_with_crashes(connection, outbox, entries, Random(seed))
        settlements += await require_the_oracles_ledger(connection, log, seed)
    tell(f"{HISTORIES:,} histories, {commits:,} commits, each with a crash, {settlements:,} statements: the oracle's")


async def start_anew(connection: Connection) -> None:
    """No ledger, no position, nothing to send."""
    await connection.execute("DROP SCHEMA IF EXISTS revenue CASCADE")
    await connection.execute("DELETE FROM platform.position WHERE consumer = 'revenue'")
    await connection.execute("DELETE FROM platform.outbox")
    await create_tables(connection, CONSUMER.schema, CONSUMER.create_sql())


async def apply_with_crashes(connection: Connection, outbox: Outbox, entries: list[Entry], random: Random) -> int:
    """Apply everything; returns how many transactions were committed."""
    epoch, commits = 1, 0
    writer = await opened(connection, epoch)
    while writer.position < len(entries):
        begin = writer.position - random.randint(0, min(3, writer.position))
        end = min(len(entries), writer.position + random.randint(1, BATCH_MAX))
        batch = Batch(begin, entries[begin:end], None, 0)
        if random.random() < 0.5:
            outbox.crashes = True
            with pytest.raises(Crash):
                await writer.apply(batch)
            epoch += 1
            writer = await opened(connection, epoch)
        await writer.apply(batch)
        commits += 1
        epoch += 1
        writer = await opened(connection, epoch)
    return commits


async def opened(connection: Connection, epoch: int) -> Writer:
    """The writer of a process that has just taken over."""
    await connection.execute(f"SET search_path = {CONSUMER.schema}")
    writer = Writer(CONSUMER, connection, epoch)
    assert await writer.open()
    return writer


async def require_the_oracles_ledger(connection: Connection, log: list[EntryDict], seed: int) -> int:
    expected = fold(log)
    accounts = {row.pop("account"): row for row in as_json(await balances(connection))}
    assert accounts == expected.balances, seed
    closed = as_json(await statements(connection))
    assert closed == sorted(expected.statements, key=lambda row: (row["partnership_id"], row["period"])), seed
    transfers = await connection.fetch("SELECT index, debit, credit, amount_halalas FROM transfer")
    assert sorted(map(tuple, transfers)) == sorted(
        (t.index, t.debit, t.credit, t.amount_halalas) for t in expected.transfers
    ), seed
    anomalies = await connection.fetch("SELECT index, rule FROM anomaly")
    assert sorted(map(tuple, anomalies)) == sorted(
        (row.index, row.rule) for row in expected.anomalies if short_type(log[row.index]["event"]) in HANDLED
    ), seed
    sent = [row["event_id"] for row in await connection.fetch("SELECT event_id FROM platform.outbox")]
    assert sorted(sent) == sorted(f"settlement.{row['partnership_id']}.{row['period']}" for row in closed), seed
    return len(closed)
