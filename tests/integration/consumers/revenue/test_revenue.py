"""The revenue ledger on a real PostgreSQL: the oracle's figures, now and as of an index; rows that nobody rewrites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from consumers.proof.offline.store import SqliteStore
from consumers.replay.as_of.view import view
from consumers.replay.rebuild.comparison import table_hash
from consumers.revenue.accounts import SIDES
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.read import (
    NoStatement,
    NoSuchPeriod,
    balances,
    partnerships,
    partnerships_of_plan,
    statement,
    statements,
)
from consumers.revenue.rows import TRANSFER
from events.wire.entry import parse_entry
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import Yesser
from tests.world.documents import as_json
from tests.world.ledger import books_of
from tests.world.logs import apply_live, raw_entries, write_log


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(11, 600, REVENUE))


async def test_the_ledger_says_what_the_oracle_says_now_and_as_of_an_index_and_nobody_rewrites_it(
    connection: Connection, settings: Settings, log: list[EntryDict], yesser: Yesser
) -> None:
    expected = fold(log)
    await write_log(connection, raw_entries(log))
    decided = await apply_live(connection, CONSUMER, raw_entries(log))
    async with view(settings, [CONSUMER]) as looked_at:
        reader = await looked_at.use(CONSUMER)
        assert {row.pop("account"): row for row in as_json(await balances(reader))} == expected.balances
        assert as_json(await partnerships_of_plan(reader)) == expected.plan["partnerships"]
        shown = as_json(await statements(reader))
        assert shown == sorted(expected.statements, key=lambda row: (row["partnership_id"], row["period"]))
        first = shown[0]
        assert as_json(await statement(reader, first["partnership_id"], first["period"])) == first
        with pytest.raises(NoStatement, match="2099-01"):
            await statement(reader, first["partnership_id"], "2099-01")
        with pytest.raises(NoStatement, match="is not known"):
            await statement(reader, "NOBODY", "2005-01")
        with pytest.raises(NoSuchPeriod, match="1426-13 is not a period"):
            await statement(reader, first["partnership_id"], "1426-13")
        other_kind = first["period"][:5] + ("01" if "Q" in first["period"] else "Q1")
        with pytest.raises(NoSuchPeriod, match=rf"has no period {other_kind}: its periods are (months|quarters), "):
            await statement(reader, first["partnership_id"], other_kind)
        last = (await partnerships(reader))[0]
        assert last.open_period is not None
        with pytest.raises(NoStatement, match=rf"^period {last.open_period} .* is not closed; its open period is"):
            await statement(reader, last.partnership_id, last.open_period)
        assert await books_of(reader) == {"sum_halalas": 0, "ok": True}
    assert sorted(event.id for event in decided) == sorted(
        f"settlement.{row['partnership_id']}.{row['period']}" for row in shown
    )

    index = 2 * len(log) // 3
    expected = fold(log[:index])
    first = expected.statements[0]
    partnership_id, period = first["partnership_id"], first["period"]

    async def then(*arguments: str) -> Any:
        return await yesser.document("ledger", *arguments, "--as-of-index", str(index))

    then_balances = await then("balances")
    assert then_balances.pop("log_index") == index
    assert {row.pop("account"): row for row in then_balances["accounts"]} == expected.balances
    assert await then("statement", partnership_id, period) == first
    transfers = await then("transfers", partnership_id)
    assert [(row["index"], row["debit"], row["credit"], row["amount_halalas"]) for row in transfers["transfers"]] == [
        (row.index, row.debit, row.credit, row.amount_halalas)
        for row in expected.transfers
        if row.partnership_id == partnership_id
    ]

    await connection.execute(f"UPDATE {CONSUMER.schema}.account SET debits_halalas = debits_halalas + 1")
    async with view(settings, [CONSUMER]) as looked_at:
        found = await books_of(await looked_at.use(CONSUMER))
    assert found == {"sum_halalas": 0, "ok": False}, "an account that differs from its transfers is found"

    # Refused by right to the application's role, or by trigger. What was reversed of a receipt may change.
    for table, column in (
        ("receipt", "partner_halalas"),
        ("reversal", "period"),
        ("payout", "index"),
        ("statement", "period"),
    ):
        for sql in (f"UPDATE {{}} SET {column} = {column}", "DELETE FROM {}", "TRUNCATE {}"):
            with pytest.raises(asyncpg.PostgresError, match=r"append-only|permission denied"):
                await connection.execute(sql.format(f"{CONSUMER.schema}.{table}"))
    await connection.execute(f"UPDATE {CONSUMER.schema}.receipt SET reversed_halalas = reversed_halalas")
    values = "'P', 'R', 'S', 5, '2005-01-01', 1, '2005-01', 0, 0, 0, $1, $2, 0, 1, 1"
    for partner, treasury in ((3, 3), (6, -1), (-1, 6)):
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"INSERT INTO {CONSUMER.schema}.receipt VALUES ({values})", partner, treasury)


async def test_the_transfers_that_follow_from_the_rows_are_those_that_the_fold_posts(
    connection: Connection, tmp_path: Path
) -> None:
    raw = raw_entries(entries_from(generate(11, 1_500, REVENUE)))
    await write_log(connection, raw)
    await apply_live(connection, CONSUMER, raw)
    store = SqliteStore(tmp_path / "ledger.sqlite", CONSUMER)
    await store.apply([parse_entry(index, text) for index, text in enumerate(raw)])
    await connection.execute(f"SET search_path = {CONSUMER.schema}")
    async with connection.transaction():
        followed = await table_hash(connection, TRANSFER)
    assert followed == store.hash(TRANSFER)
    assert {row.kind for row in store.matching(TRANSFER, {})} == set(SIDES)
    assert not await connection.fetchval("SELECT count(*) FROM pg_class WHERE relname = 'transfer' AND relkind = 'r'")
    store.close()
