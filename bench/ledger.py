"""The revenue ledger beside a double-entry writer, and what its statements cost: one run, one machine.

    python -m bench.ledger [--receipts N] [--statement N] [--runs N] [--json FILE]

The peer is what one would write first: for each receipt a transaction with two rows and two balances. Both read the
same entries, as they are in the log, on the same PostgreSQL. A run takes about two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import orjson
import psutil
from rich.console import Console
from rich.table import Table

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
from infra.cli import COLLECT_EVERY
from infra.embedded.stack import running_stack
from infra.log.merkle import TileTree, leaf_hash
from infra.postgres.connection import Connection, connect
from infra.postgres.migrate import create_tables
from infra.principals import SUPERUSER
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
GOALS: Final = {
    "receipts of 1,000 contracts": "≥ 40,000/s",
    "receipts of one contract": "≥ half",
    "ledger to the row-by-row writer": "≥ 50 ×",
    "statement, figures and receipts": "< 5 s",
    "its PDF": "< 2 s",
    "verify-statement": "≥ 100,000/s",
}

console = Console(stderr=True)


@dataclass
class Figures:
    """Figures by name, one of each run."""

    runs: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, figure: float) -> None:
        self.runs[name].append(figure)
        console.print(f"{name}: {figure:,.2f}" if figure < 100 else f"{name}: {figure:,.0f}")

    def table(self, title: str, goals: Mapping[str, str]) -> Table:
        """The median of each figure beside its goal."""
        table = Table(title=title, title_justify="left")
        for name in ("", "median", "of", "goal"):
            table.add_column(name, justify="left" if not name else "right")
        for name, found in self.runs.items():
            median = statistics.median(found)
            figure = f"{median:,.2f}" if median < 100 else f"{median:,.0f}"
            table.add_row(name, figure, str(len(found)), goals.get(name, ""))
        return table


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


async def whole(settings: Settings, receipts: int, of_statement: int, figures: Figures) -> None:
    """One run."""
    connection = await connect(settings, "bench", batch=True)
    try:
        with console.status("writing a log"):
            many = raw_entries(history(receipts, CONTRACTS))
            one = raw_entries(history(receipts, 1))
        rate = await applied(connection, REVENUE, many, receipts, figures, "receipts of 1,000 contracts")
        hot = await applied(connection, REVENUE, one, receipts, figures, "receipts of one contract")
        figures.add("one contract to 1,000", hot / rate)
        peer = await row_by_row(connection, many)
        figures.add("row-by-row writer", peer)
        figures.add("ledger to the row-by-row writer", rate / peer)
        await statement_costs(settings, connection, of_statement, figures)
    finally:
        await connection.close()


async def applied(
    connection: Connection, consumer: Consumer, raw: Sequence[bytes], receipts: int, figures: Figures, name: str
) -> float:
    """Receipts per second, from the log in PostgreSQL into the ledger."""
    await empty(connection)
    await write_log(connection, raw)
    writer = await opened(connection, consumer)
    contracts = len(raw) - receipts
    await writer.fill(contracts, is_gap=False)
    own, started = time.process_time(), time.perf_counter()
    await writer.fill(len(raw), is_gap=False)
    rate = receipts / (time.perf_counter() - started)
    figures.add(name, rate)
    figures.add(f"{name}, µs of this process", 1e6 * (time.process_time() - own) / receipts)
    return rate


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
    with timed(figures, "statement, figures and receipts"):
        parts = await statement_parts(connection, "P0", "2005-01", None)
    for name, format_ in (("its PDF", "pdf"), ("its page", "html"), ("its CSV", "csv")):
        with timed(figures, name):
            FORMATS[format_].render(parts)
    figures.add("memory of this process, MiB", psutil.Process().memory_info().rss / 2**20)
    del parts
    with tempfile.TemporaryDirectory() as folder:
        with timed(figures, "prove-statement"):
            await prove_statement(settings, "P0", "2005-01", Path(folder, "proof"))
        started = time.perf_counter()
        await verify_statement(Path(folder, "proof"), KEY.verifier)
        figures.add("verify-statement", receipts / (time.perf_counter() - started))


@contextmanager
def timed(figures: Figures, name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    figures.add(name, time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--receipts", type=int, default=200_000, help="receipts of the ledger (default 200,000)")
    parser.add_argument("--statement", type=int, default=1_000_000, help="receipts of the statement (1,000,000)")
    parser.add_argument("--runs", type=int, default=3, help="whole runs; medians are shown (default 3)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)  # as in the platform's processes, for the peer too
    figures = Figures()
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=("postgres",)) as settings,
    ):
        owner = settings.acting_as(SUPERUSER)
        asyncio.run(migrate_database(settings))
        for number in range(arguments.runs):
            console.rule(f"run {number + 1} of {arguments.runs}")
            asyncio.run(whole(owner, arguments.receipts, arguments.statement, figures))
    title = f"Ledger: {arguments.receipts:,} receipts; a statement over {arguments.statement:,}"
    Console().print(figures.table(title, GOALS))
    if arguments.json:
        arguments.json.write_bytes(orjson.dumps(figures.runs, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
