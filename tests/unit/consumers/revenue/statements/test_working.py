"""The working of a statement: exact, by the oracle's prices, and the same as the ledger posted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from consumers.revenue.consumer import CONSUMER
from consumers.revenue.statements.formats import COLUMNS, posting_rows
from consumers.revenue.statements.working import WrongStatement, bands_of, working_of
from tests.oracle import pricing
from tests.oracle.log import EntryDict
from tests.oracle.strategies import revenue_logs
from tests.unit.consumers.revenue.statements.workings import WORKED, WORKED_RECEIPTS, parts_of
from tests.world.entries import entry_of
from tests.world.ledger import R7, signed
from tests.world.memory_store import MemoryStore


@settings(deadline=None, max_examples=50)
@given(revenue_logs())
def test_bands_and_rounding_add_up_to_the_base_share(log: list[EntryDict]) -> None:
    store = MemoryStore()
    store.apply(CONSUMER, [entry_of(made) for made in log])
    for parts in parts_of(store):
        statement = parts.working.statement
        shares = [group.share for group in parts.working.groups]
        assert sum(share.partner_halalas for share in shares) == statement.partner_base_halalas
        assert sum(Fraction(band.amount_halalas) for share in shares for band in share.bands) == statement.net_halalas
        for share in shares:
            rounding = Fraction(share.rounding_halalas)
            assert Fraction(share.exact_halalas) + rounding == share.partner_halalas
            assert abs(rounding) < len(share.cumulative_halalas)


CAPPED = [
    *R7,
    {"bands": [{"up_to_halalas": None, "partner_bp": 3333}], "cap": {"amount_halalas": 0, "partner_bp_after": 100}},
    {"bands": [{"up_to_halalas": 7, "partner_bp": 0}, {"up_to_halalas": None, "partner_bp": 0}],
     "cap": {"amount_halalas": 5, "partner_bp_after": 100}},
    {"bands": [{"up_to_halalas": None, "partner_bp": 3333}], "cap": {"amount_halalas": 10, "partner_bp_after": 100}},
]  # fmt: skip


@given(st.sampled_from(CAPPED), st.integers(-3000, 5000), st.integers(-3000, 5000))
def test_the_bands_give_the_oracles_share_between_any_two_sums(own: dict[str, Any], before: int, after: int) -> None:
    moved = sum((band.share(band.part(before, after)) for band in bands_of(own)), Fraction(0))
    assert moved == pricing.share(own, after) - pricing.share(own, before)
    assert sum((band.part(before, after) for band in bands_of(own)), Fraction(0)) == after - before


def test_the_rows_of_a_file_trace_each_posting_through_the_bands_that_it_moved() -> None:
    own = signed(bands=WORKED)
    for number, amount in enumerate(WORKED_RECEIPTS, 1):
        assert own.collect(f"R{number}", amount, "2005-01-10") is None
    own.close("2005-01")
    (parts,) = parts_of(own.store)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in posting_rows(parts)]
    names = ("index", "id", "cumulative_after_halalas", "partner_halalas", "band_rate_bp", "band_amount_halalas")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (1, "R1", 600_000_001, 420_000_000, 7000, 600_000_001),
        (2, "R2", 1_500_000_001, 580_000_000, 7000, 399_999_999),
        (2, "R2", 1_500_000_001, 580_000_000, 6000, 500_000_001),
        (3, "R3", 3_000_000_034, 850_000_017, 6000, 999_999_999),
        (3, "R3", 3_000_000_034, 850_000_017, 5000, 500_000_034),
    ]


def test_a_posting_of_another_share_is_named() -> None:
    own = signed()
    own.collect("R1", 500, "2005-01-10")
    own.close("2005-01")
    (parts,) = parts_of(own.store)
    (posting,), versions, statement = parts.postings, parts.partnership.versions, parts.working.statement
    changed = replace(posting, partner_halalas=351, treasury_halalas=149)
    with pytest.raises(WrongStatement, match="entry 1"):
        working_of(statement, versions, [changed], 0)
    with pytest.raises(WrongStatement, match="350"):
        working_of(structs.replace(statement, partner_base_halalas=349), versions, [posting], 0)
