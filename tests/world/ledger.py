"""A ledger to tell facts to: one event in, the rule that it breaks (or None) out; rows, balances and statements to see.

The contract, unless told otherwise: Gregorian months of 2005, 70 % to the partner up to 1,000 halalas, 50 % above,
owned by `health`, services S1 and S2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consumers.replay.fold.anomaly import ANOMALY
from consumers.revenue.consumer import CONSUMER, HANDLERS
from consumers.revenue.handlers.closing import statement_data
from consumers.revenue.read import balances
from consumers.revenue.rows import ACCOUNT, CONTRACT, STATEMENT, TRANSFER, Contract, Statement
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from tests.oracle.fold import fold
from tests.oracle.log import EntryDict, short_type
from tests.world.entries import TEXT, EventLog
from tests.world.memory_store import MemoryStore

RECORDED = "2005-06-01T08:00:00.000000Z"
SEVENTY_THEN_FIFTY: list[dict[str, Any]] = [
    {"up_to_halalas": 1000, "partner_bp": 7000},
    {"up_to_halalas": None, "partner_bp": 5000},
]


PLATEAU: list[dict[str, Any]] = [
    {"up_to_halalas": 1000, "partner_bp": 7000},
    {"up_to_halalas": 2000, "partner_bp": 0},
    {"up_to_halalas": None, "partner_bp": 5000},
]
R7: list[dict[str, Any]] = [
    {"bands": SEVENTY_THEN_FIFTY, "cap": {"amount_halalas": 800, "partner_bp_after": 1000}},
    {"bands": PLATEAU, "cap": {"amount_halalas": 700, "partner_bp_after": 1000}},
]
"""The terms of the contract's vectors."""


def terms(**changes: Any) -> dict[str, Any]:
    """Terms of a contract over the year 2005."""
    plain: dict[str, Any] = {
        "starts_on": "2005-01-01",
        "ends_on": "2005-12-31",
        "calendar": "gregorian",
        "period": "month",
        "tier_basis": "lifetime",
        "bands": SEVENTY_THEN_FIFTY,
        "cap": None,
        "guarantee": None,
        "expected": [],
    }
    return plain | changes


class Ledger(EventLog):
    """One store, one entry per batch."""

    at = RECORDED

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.decided: list[OutboxEvent] = []

    def say(self, kind: str, agency: str = "health", **data: Any) -> str | None:
        """Apply one event; the rule of its anomaly, or None if it took effect."""
        index = self.tell(agency, kind, **{"partnership_id": "P1"} | data)
        self.decided += self.store.apply(CONSUMER, self.entries[index:])
        return next((row.rule for row in self.store.rows(ANOMALY) if row.index == index), None)

    def sign(self, agency: str = "health", partnership_id: str = "P1", **changes: Any) -> str | None:
        return self.say(
            "partnership.signed",
            agency,
            partnership_id=partnership_id,
            partner={"partner_id": "CO", "name": TEXT},
            services=["S1", "S2"],
            legal_basis=TEXT,
            signed_on="2004-12-01",
            terms=terms(**changes),
        )

    def amend(self, effective_from: str, agency: str = "health", **changes: Any) -> str | None:
        new_terms = terms(**changes)
        return self.say("partnership.amended", agency, effective_from=effective_from, terms=new_terms, reason=TEXT)

    def terminate(self, on: str, agency: str = "health") -> str | None:
        return self.say("partnership.terminated", agency, on=on, reason=TEXT)

    def reassign(self, to: str, partnership_id: str = "P1") -> str | None:
        on = "2005-05-05"
        return self.say("partnership.reassigned", "yesser", partnership_id=partnership_id, to=to, on=on, reason=TEXT)

    def collect(self, receipt_id: str, amount: int, on: str, agency: str = "health", service: str = "S1") -> str | None:
        return self.say(
            "revenue.collected",
            agency,
            receipt_id=receipt_id,
            service_id=service,
            amount_halalas=amount,
            collected_on=on,
            receipts=1,
        )

    def reverse(self, reversal_id: str, receipt_id: str, amount: int, on: str, agency: str = "health") -> str | None:
        return self.say(
            "revenue.reversed",
            agency,
            reversal_id=reversal_id,
            reverses=receipt_id,
            amount_halalas=amount,
            reversed_on=on,
            reason=TEXT,
        )

    def close(self, *labels: str, agency: str = "health") -> str | None:
        """Close these periods, in this order; what the last of them gives."""
        result = None
        for label in labels:
            result = self.say("revenue.period-closed", agency, period=label)
        return result

    def pay(self, payout_id: str, amount: int, agency: str = "health") -> str | None:
        return self.say("revenue.paid-out", agency, payout_id=payout_id, amount_halalas=amount, paid_on="2005-06-01")

    def contract(self, partnership_id: str = "P1") -> Contract:
        return next(row for row in self.store.rows(CONTRACT) if row.partnership_id == partnership_id)

    def statement(self, period: str) -> Statement:
        return next(row for row in self.store.rows(STATEMENT) if row.period == period)

    def balances(self) -> dict[str, int]:
        return {row.account: row.debits_halalas - row.credits_halalas for row in self.store.rows(ACCOUNT)}

    def transfers(self) -> list[tuple[int, str, str | None, str, str, int]]:
        """Index, kind, period, debit, credit and amount of every transfer."""
        return [
            (row.index, row.kind, row.period, row.debit, row.credit, row.amount_halalas)
            for row in self.store.rows(TRANSFER)
        ]


def months(first: int, last: int, year: int = 2005) -> list[str]:
    """`2005-01` … in order."""
    return [f"{year}-{month:02d}" for month in range(first, last + 1)]


def signed(**changes: Any) -> Ledger:
    """A ledger whose contract was signed with these terms."""
    ledger = Ledger()
    assert ledger.sign(**changes) is None
    return ledger


async def books_of(connection: Connection) -> dict[str, Any]:
    """The sum of all transfers' sides, and whether it is zero and each account is the sum of its transfers."""
    sums: dict[str, list[int]] = {}
    for debit, credit, amount in await connection.fetch("SELECT debit, credit, amount_halalas FROM transfer"):
        for at, account in enumerate((debit, credit)):
            sums.setdefault(account, [0, 0])[at] += amount
    kept = {row.account: [row.debits_halalas, row.credits_halalas] for row in await balances(connection)}
    total = sum(debits - credits for debits, credits in sums.values())
    return {"sum_halalas": total, "ok": total == 0 and kept == sums}


def require_same_as_oracle(store: MemoryStore, log: Sequence[EntryDict]) -> None:
    """Balances, statements, transfers and anomalies are those of the independent model."""
    expected = fold(log)
    accounts = {row.account: (row.debits_halalas, row.credits_halalas) for row in store.rows(ACCOUNT)}
    assert accounts == {
        name: (sums["debits_halalas"], sums["credits_halalas"]) for name, sums in expected.balances.items()
    }
    assert [statement_data(row) for row in store.rows(STATEMENT)] == sorted(
        expected.statements, key=lambda row: (row["partnership_id"], row["period"])
    )
    assert sorted(
        (row.index, row.partnership_id, row.debit, row.credit, row.amount_halalas) for row in store.rows(TRANSFER)
    ) == sorted((t.index, t.partnership_id, t.debit, t.credit, t.amount_halalas) for t in expected.transfers)
    assert [(row.index, row.rule) for row in store.rows(ANOMALY)] == sorted(
        (row.index, row.rule) for row in expected.anomalies if short_type(log[row.index]["event"]) in HANDLERS
    )
