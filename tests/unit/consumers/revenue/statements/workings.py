"""The workings of every statement of a ledger, as the tables give them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict

from consumers.documents.document import document_of, documents_of
from consumers.documents.ledger.partnerships import TermsVersion
from consumers.documents.ledger.statements import Statement
from consumers.revenue.rows import RECEIPT, REVERSAL, STATEMENT, VERSION
from consumers.revenue.statements.working import Posting, Working, working_of
from tests.world.memory_store import MemoryStore

WORKED = [
    {"up_to_halalas": 1_000_000_000, "partner_bp": 7000},
    {"up_to_halalas": 2_500_000_000, "partner_bp": 6000},
    {"up_to_halalas": None, "partner_bp": 5000},
]
WORKED_RECEIPTS = (600_000_001, 900_000_000, 1_500_000_033)
"""The case that the contract works through."""


def postings(store: MemoryStore, partnership_id: str) -> list[tuple[str, Posting]]:
    """(period, posting) of a partnership in log order, with the sums before them."""
    services = {(r.partnership_id, r.receipt_id): r.service_id for r in store.rows(RECEIPT)}
    posted: list[tuple[int, str, str, str, int, str, int, int, int, int]] = [
        (r.first_index, r.receipt_id, r.collected_on, r.service_id, r.amount_halalas, r.period, r.contract_version,
         r.window_number, r.partner_halalas, r.treasury_halalas)
        for r in store.rows(RECEIPT) if r.partnership_id == partnership_id
    ]  # fmt: skip
    posted += [
        (r.index, r.reversal_id, r.reversed_on, services[partnership_id, r.receipt_id], -r.amount_halalas, r.period,
         r.contract_version, r.window_number, -r.partner_halalas, -r.treasury_halalas)
        for r in store.rows(REVERSAL) if r.partnership_id == partnership_id
    ]  # fmt: skip
    sums: dict[int, int] = defaultdict(int)
    found = []
    for index, own_id, day, service_id, amount, period, version, window, partner, treasury in sorted(posted):
        found.append(
            (period, Posting(index, own_id, day, service_id, amount, version, window, sums[window], partner, treasury))
        )
        sums[window] += amount
    return found


def versions_of(store: MemoryStore, partnership_id: str) -> list[TermsVersion]:
    own = (row for row in store.rows(VERSION) if row.partnership_id == partnership_id)
    return documents_of(TermsVersion, map(asdict, own))


def workings(store: MemoryStore) -> list[Working]:
    found = []
    outstanding: dict[str, int] = defaultdict(int)
    for row in sorted(store.rows(STATEMENT), key=lambda row: (row.partnership_id, row.period)):
        versions = versions_of(store, row.partnership_id)
        own = [p for period, p in postings(store, row.partnership_id) if period == row.period]
        found.append(working_of(document_of(Statement, asdict(row)), versions, own, outstanding[row.partnership_id]))
        outstanding[row.partnership_id] = row.top_up_outstanding_halalas
    return found
