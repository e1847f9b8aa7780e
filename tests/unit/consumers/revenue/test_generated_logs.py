"""Generated logs: the consumer agrees with the oracle, however the log is split into batches."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.revenue.consumer import CONSUMER
from consumers.revenue.rows import ACCOUNT, TRANSFER
from tests.oracle.log import EntryDict
from tests.oracle.strategies import revenue_logs
from tests.world.entries import entry_of
from tests.world.ledger import require_same_as_oracle
from tests.world.memory_store import MemoryStore


@settings(deadline=None, max_examples=60)
@given(revenue_logs(), st.lists(st.integers(1, 12), max_size=40))
def test_the_ledger_is_the_oracles_wherever_batches_end(log: list[EntryDict], sizes: list[int]) -> None:
    entries = [entry_of(made) for made in log]
    whole = MemoryStore()
    decided = whole.apply(CONSUMER, entries)
    require_same_as_oracle(whole, log)

    sums: dict[str, list[int]] = {}
    for transfer in whole.rows(TRANSFER):
        sums.setdefault(transfer.debit, [0, 0])[0] += transfer.amount_halalas
        sums.setdefault(transfer.credit, [0, 0])[1] += transfer.amount_halalas
    accounts = {row.account: [row.debits_halalas, row.credits_halalas] for row in whole.rows(ACCOUNT)}
    assert accounts == sums, "each account is what its transfers add up to"
    assert sum(debits - credits for debits, credits in sums.values()) == 0

    cut = MemoryStore()
    decided_in_parts, at = [], 0
    for size in [*sizes, len(entries)]:
        decided_in_parts += cut.apply(CONSUMER, entries[at : at + size])
        at += size
    assert cut.state() == whole.state()
    assert decided_in_parts == decided
