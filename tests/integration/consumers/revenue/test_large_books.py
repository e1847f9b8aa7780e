"""The ledger of 100,000 receipts as books that other programs open: no error, every transaction zero, equal sums.

The sums are those of this file, which prices the history by itself: 70 % of everything goes to the partner.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from beancount import loader
from beancount.core import data, interpolate
from click.testing import CliRunner

from consumers.ledger.commands import ledger
from consumers.pipeline.writer import Writer
from consumers.revenue.consumer import CONSUMER
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.oracle.log import EntryDict, make_entry, make_event
from tests.world.entries import TEXT
from tests.world.ledger import months, terms
from tests.world.logs import raw_entries, write_log

CONTRACTS = 50
RATE = 7_000
residual: Any = interpolate.compute_residual


class Books:
    """A history of receipts, with a reversal for each fiftieth, a closed month each and a payout; and its sums."""

    def __init__(self, receipts: int) -> None:
        self.sums: Counter[tuple[str, str]] = Counter()
        self.receipts = receipts
        self.index = 0

    def entries(self) -> Iterator[EntryDict]:
        for contract in range(CONTRACTS):
            bands = [{"up_to_halalas": None, "partner_bp": RATE}]
            signed = {"partner": {"partner_id": "CO", "name": TEXT}, "services": ["S1"], "legal_basis": TEXT}
            agreed = terms(bands=bands, ends_on="2009-12-31")
            yield self._said("partnership.signed", contract, **signed, signed_on="2004-12-01", terms=agreed)
        paid: Counter[int] = Counter()
        for number in range(self.receipts):
            contract, amount = number % CONTRACTS, 10_000 * (1 + number * 7_919 % 90_001)
            receipt = {"receipt_id": f"R{number}", "service_id": "S1", "receipts": 1}
            on = f"2005-01-{1 + number % 28:02d}"
            yield self._said("revenue.collected", contract, **receipt, collected_on=on, amount_halalas=amount)
            self._moved(contract, amount, "collections", "partner-payable", "treasury-share")
            paid[contract] += amount * RATE // 10_000
            if number % 50 == contract % 7:
                back = {"reversal_id": f"V{number}", "reverses": f"R{number}", "reason": TEXT}
                yield self._said(
                    "revenue.reversed", contract, **back, reversed_on="2005-01-31", amount_halalas=amount // 2
                )
                self._moved(contract, -(amount // 2), "collections", "partner-payable", "treasury-share")
                paid[contract] -= amount // 2 * RATE // 10_000
        for contract in range(CONTRACTS):
            yield self._said("revenue.period-closed", contract, period=months(1, 1)[0])
            payout = {"payout_id": "O1", "paid_on": "2005-02-10", "amount_halalas": paid[contract]}
            yield self._said("revenue.paid-out", contract, **payout)
            self.sums["partner-payable", f"P{contract}"] += paid[contract]
            self.sums["cash", f"P{contract}"] -= paid[contract]

    def _moved(self, contract: int, amount: int, debit: str, partner: str, treasury: str) -> None:
        share = amount * RATE // 10_000
        self.sums[debit, f"P{contract}"] += amount
        self.sums[partner, f"P{contract}"] -= share
        self.sums[treasury, f"P{contract}"] -= amount - share

    def _said(self, kind: str, contract: int, **said: Any) -> EntryDict:
        index, name = self.index, f"P{contract}"
        self.index += 1
        event = make_event(kind, "health", f"partnership/{name}", {"partnership_id": name, **said}, f"e{index}")
        return make_entry(index, event)


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("receipts", [1_000, pytest.param(100_000, marks=pytest.mark.accept)])
async def test_the_books_of_many_receipts(
    connection: Connection, settings: Settings, tmp_path: Path, receipts: int
) -> None:
    books = Books(receipts)
    await write_log(connection, raw_entries(books.entries()))
    await connection.execute(f"SET search_path = {CONSUMER.schema}")
    writer = Writer(CONSUMER, connection, 1)
    assert await writer.open()
    await writer.fill(books.index, is_gap=False)
    environment = {"YESSER_POSTGRES": settings.postgres, "YESSER_HOME": str(settings.home)}
    files = {form: tmp_path / f"ledger.{form}" for form in ("beancount", "parquet")}
    for form, path in files.items():
        command = ["export", str(path), "--format", form, "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, ledger, command, env=environment)
        assert result.exit_code == 0, result.output
    assert await asyncio.to_thread(sums_of_beancount, files["beancount"]) == books.sums
    assert sums_of_parquet(files["parquet"]) == books.sums


def sums_of_beancount(file: Path) -> Counter[tuple[str, str]]:
    """Debits less credits of each account, in halalas; every transaction sums to exactly zero."""
    entries, errors, _ = loader.load_file(str(file))
    assert not errors, errors[:3]
    accounts, sums = {}, Counter[tuple[str, str]]()
    for entry in entries:
        if isinstance(entry, data.Open):
            kind = _KINDS[entry.account.split(":")[1]]
            accounts[entry.account] = (kind, entry.meta["partnership"])
        elif isinstance(entry, data.Transaction):
            assert residual(entry.postings).is_empty(), entry
            for posting in entry.postings:
                assert posting.units is not None
                assert posting.units.number is not None
                sums[accounts[posting.account]] += int(posting.units.number * 100)
    return sums


def sums_of_parquet(file: Path) -> Counter[tuple[str, str]]:
    with duckdb.connect() as database:
        rows = database.execute(
            "SELECT account, sum(amount)::BIGINT FROM ("
            "  SELECT debit AS account, amount_halalas AS amount FROM read_parquet($1)"
            "  UNION ALL SELECT credit, -amount_halalas FROM read_parquet($1)) GROUP BY account",
            [str(file)],
        ).fetchall()
    return Counter({(name.partition(":")[0], name.partition(":")[2]): amount for name, amount in rows})


_KINDS = {
    "Collections": "collections",
    "PartnerPayable": "partner-payable",
    "TreasuryShare": "treasury-share",
    "Cash": "cash",
}
