"""The revenue ledger beside a double-entry writer, and what its statements cost.

The peer is what one would write first: for each receipt a transaction with two rows and two balances. Both read the
same entries, as they are in the log, on the same PostgreSQL. The statement is over five times as many receipts.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import psutil

from bench.figures import Figures, console
from bench.system import stack
from consumers.explain.ledger.proving import prove_statement
from consumers.explain.ledger.statement_proof import verify_statement
from consumers.models.migrate_command import migrate_database
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.fold.consumer import Consumer
from consumers.replay.pipeline.writer import Writer
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.statements.formats import FORMATS
from consumers.revenue.statements.read import statement_parts
from events.wire.entry import parse_entry
from infra.log.merkle import TileTree, leaf_hash
from infra.postgres.connection import Connection, connected
from infra.postgres.migrate import create_tables
from infra.private_keys.key_files import log_key_files
from infra.settings import Settings
from tests.oracle.log import EntryDict, make_entry, make_event
from tests.world.logs import raw_entries, write_log
from tests.world.memory_log import KEY, root_of

CONTRACTS: Final = 1_000
PEER_LIMIT_S: Final = 5.0
TEXT: Final = {"ar": "نص", "en": "Text"}
PEER_TABLES: Final = """
DROP TABLE IF EXISTS public.posting, public.balance;
CREATE TABLE public.posting (id bigserial PRIMARY KEY, receipt text, account text, amount bigint);
CREATE TABLE public.balance (account text PRIMARY KEY, amount bigint NOT NULL);
"""
PEER_BALANCE: Final = (
    "INSERT INTO public.balance AS b VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET amount = b.amount + $2"
)
STATEMENT: Final = 5
RECEIPTS: Final = "receipts/s"
MANY, ONE = "receipts of 1,000 contracts", "receipts of one contract"
ROW_BY_ROW: Final = "row-by-row writer, 1,000 contracts"


def history(receipts: int, contracts: int, closes: bool = False) -> Iterator[EntryDict]:
    """Signings, then receipts in turn, each with an amount of its own."""
    numbers = count()

    def said(kind: str, contract: int, data: dict[str, object]) -> EntryDict:
        index, name = next(numbers), f"P{contract}"
        event = make_event(kind, "health", f"partnership/{name}", {"partnership_id": name, **data}, f"e{index}")
        return make_entry(index, event)

    for contract in range(contracts):
        bands = [{"up_to_halalas": 50_000_000, "partner_bp": 7_000}, {"up_to_halalas": None, "partner_bp": 5_000}]
        terms = {
            "starts_on": "2005-01-01", "ends_on": "2009-12-31", "calendar": "gregorian", "period": "month",
            "tier_basis": "lifetime", "bands": bands, "cap": None, "guarantee": None, "expected": [],
        }  # fmt: skip
        signed = {"partner": {"partner_id": "CO", "name": TEXT}, "services": ["S1"], "legal_basis": TEXT}
        yield said("partnership.signed", contract, {**signed, "signed_on": "2004-12-01", "terms": terms})
    for number in range(receipts):
        day = f"2005-01-{1 + number % 28:02d}" if closes else f"2005-{1 + number % 12:02d}-{1 + number % 28:02d}"
        receipt = {"receipt_id": f"R{number}", "service_id": "S1", "collected_on": day, "receipts": 1}
        amount = 1_000 + number * 7_919 % 90_000
        yield said("revenue.collected", number % contracts, {**receipt, "amount_halalas": amount})
    if closes:
        yield said("revenue.period-closed", 0, {"period": "2005-01"})


async def measure(receipts: int, figures: Figures) -> None:
    """One run."""
    with stack("postgres") as settings:
        await migrate_database(settings)
        async with connected(settings, "bench", batch=True) as connection:
            with console.status("writing a log"):
                many = raw_entries(history(receipts, CONTRACTS))
                one = raw_entries(history(receipts, 1))
            await applied(connection, REVENUE, many, receipts, figures, MANY)
            await applied(connection, REVENUE, one, receipts, figures, ONE)
            figures.add(ROW_BY_ROW, RECEIPTS, await row_by_row(connection, many))
            await statement_costs(settings, connection, STATEMENT * receipts, figures)


async def applied(
    connection: Connection, consumer: Consumer, raw: Sequence[bytes], receipts: int, figures: Figures, name: str
) -> None:
    """Receipts per second, from the log in PostgreSQL into the ledger."""
    await empty(connection)
    await write_log(connection, raw)
    writer = await opened(connection, consumer)
    contracts = len(raw) - receipts
    await writer.fill(contracts, is_gap=False)
    own, started = time.process_time(), time.perf_counter()
    await writer.fill(len(raw), is_gap=False)
    figures.add(name, RECEIPTS, receipts / (time.perf_counter() - started))
    figures.add(name, "own µs/receipt", 1e6 * (time.process_time() - own) / receipts)


async def opened(connection: Connection, consumer: Consumer) -> Writer:
    await connection.execute(f"SET search_path = {consumer.schema}")
    writer = Writer(consumer, connection, 1)
    assert await writer.open()
    return writer


async def empty(connection: Connection) -> None:
    """A log without entries, and no read models but empty ones."""
    for table in ("log.segment", "log.node", "log.checkpoint"):
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER; DELETE FROM {table}")
    await connection.execute("DELETE FROM platform.position; DELETE FROM platform.outbox")
    for consumer in (REVENUE, EVENT_INDEX):
        await connection.execute(f"DROP SCHEMA IF EXISTS {consumer.schema} CASCADE")
        await create_tables(connection, consumer.schema, consumer.create_sql())


async def row_by_row(connection: Connection, raw: Sequence[bytes]) -> float:
    """The peer's receipts per second, over as many as it does in some seconds."""
    await connection.execute(PEER_TABLES)
    done, started = 0, time.perf_counter()
    for index, entry in enumerate(raw):
        parsed = parse_entry(index, entry)
        if parsed.type != "revenue.collected":
            continue
        if time.perf_counter() - started > PEER_LIMIT_S:
            break
        data = parsed.data
        partner = data["amount_halalas"] * 7_000 // 10_000
        shares = (("partner:" + data["partnership_id"], partner), ("treasury", data["amount_halalas"] - partner))
        async with connection.transaction():
            for account, amount in shares:
                await connection.execute(
                    "INSERT INTO public.posting (receipt, account, amount) VALUES ($1, $2, $3)",
                    data["receipt_id"], account, amount,
                )  # fmt: skip
                await connection.execute(PEER_BALANCE, account, amount)
        done += 1
    return done / (time.perf_counter() - started)


async def statement_costs(settings: Settings, connection: Connection, receipts: int, figures: Figures) -> None:
    """A statement over many receipts: its figures, its PDF, its table, its proof and the check of that."""
    raw = raw_entries(history(receipts, 1, closes=True))
    await empty(connection)
    await write_log(connection, raw)
    for consumer in (REVENUE, EVENT_INDEX):
        await (await opened(connection, consumer)).fill(len(raw), is_gap=False)
    await connection.executemany(
        "INSERT INTO log.node VALUES ($1, $2, $3)", TileTree().append(list(map(leaf_hash, raw)))
    )
    note = KEY.sign_checkpoint(len(raw), root_of(raw))
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)", len(raw), note)
    vkey = log_key_files(settings).vkey
    vkey.parent.mkdir(parents=True, exist_ok=True)
    vkey.write_text(KEY.verifier.vkey + "\n")
    await connection.execute(f"ANALYZE; SET search_path = {REVENUE.schema}")
    del raw  # this process made the log; the memory of a statement is what comes on top
    before = psutil.Process().memory_info().rss
    with timed(figures, "a statement"):
        parts = await statement_parts(connection, "P0", "2005-01", None)
    for name, format_ in (("its PDF", "pdf"), ("its page", "html"), ("its CSV", "csv")):
        with timed(figures, name):
            FORMATS[format_].render(parts)
    figures.add("a statement", "MiB more", (psutil.Process().memory_info().rss - before) / 2**20)
    del parts
    with tempfile.TemporaryDirectory() as folder:
        with timed(figures, "prove-statement"):
            await prove_statement(settings, "P0", "2005-01", Path(folder, "proof"))
        started = time.perf_counter()
        await verify_statement(Path(folder, "proof"), KEY.verifier)
        figures.add("verify-statement", RECEIPTS, receipts / (time.perf_counter() - started))


@contextmanager
def timed(figures: Figures, name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    figures.add(name, "s", time.perf_counter() - started)
