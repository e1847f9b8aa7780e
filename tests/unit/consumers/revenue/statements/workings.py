"""The parts of every statement of a ledger, as the tables give them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from consumers.documents.document import document_of, documents_of
from consumers.documents.ledger.partnerships import PartnershipAndTerms, TermsVersion
from consumers.documents.ledger.statements import Checkpoint, Statement
from consumers.explain.derivations import postings_of
from consumers.proof.offline.store import SqliteStore
from consumers.revenue.rows import CONTRACT, STATEMENT, VERSION
from consumers.revenue.statements.working import Provenance, StatementParts, working_of
from infra.postgres.unit_of_work import Table
from tests.world.ledger import months, signed
from tests.world.memory_store import MemoryStore

WORKED = [
    {"up_to_halalas": 1_000_000_000, "partner_bp": 7000},
    {"up_to_halalas": 2_500_000_000, "partner_bp": 6000},
    {"up_to_halalas": None, "partner_bp": 5000},
]
WORKED_RECEIPTS = (600_000_001, 900_000_000, 1_500_000_033)
"""The case that the contract works through."""
PROVENANCE = Provenance(Checkpoint(size=7, root="ab" * 32), "https://log.example/proof/6")


class Rows:
    """The tables in memory, asked as those of a file are."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def matching(self, table: Table[Any], where: Mapping[str, Any]) -> list[Any]:
        return [row for row in self._store.rows(table) if all(getattr(row, name) == where[name] for name in where)]

    def row(self, table: Table[Any], *key: Any) -> Any:
        return next((row for row in self._store.rows(table) if table.key_of(row) == key), None)


def parts_of(store: MemoryStore) -> list[StatementParts]:
    """Of each statement, by partnership and period."""
    rows, outstanding = Rows(store), defaultdict[str, int](int)
    found = []
    for row in store.rows(STATEMENT):
        own = {"partnership_id": row.partnership_id}
        (contract,) = rows.matching(CONTRACT, own)
        versions = documents_of(TermsVersion, map(asdict, rows.matching(VERSION, own)))
        names = {"agency": contract.owner, "period": contract.period_kind, "top_up_outstanding_halalas": 0}
        partnership = document_of(PartnershipAndTerms, {**asdict(contract), **names}, versions=versions)
        posted = postings_of(cast(SqliteStore, rows), row.partnership_id, row.period)
        statement = document_of(Statement, asdict(row))
        working = working_of(statement, versions, posted, outstanding[row.partnership_id])
        outstanding[row.partnership_id] = row.top_up_outstanding_halalas
        found.append(StatementParts(partnership, working, posted, (), PROVENANCE))
    return found


def told(periods: list[list[int]], **terms: Any) -> MemoryStore:
    """A contract whose months got these receipts, in halalas, and were closed one after the other."""
    own = signed(**terms)
    for label, amounts in zip(months(1, len(periods)), periods, strict=True):
        for number, amount in enumerate(amounts):
            assert own.collect(f"R{label}.{number}", amount, f"{label}-10") is None
        assert own.close(label) is None
    return own.store
