"""R7 and R8: what a cumulative revenue is worth, to the halala."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.revenue.handlers.pricing import price_table, share
from tests.every import every
from tests.oracle.pricing import floored_share
from tests.world.ledger import R7

CAPPED, PLATEAU = R7


def bands(*pairs: tuple[int | None, int]) -> list[dict[str, Any]]:
    return [{"up_to_halalas": up_to, "partner_bp": rate} for up_to, rate in pairs]


def capped(amount: int, after: int, *pairs: tuple[int | None, int]) -> dict[str, Any]:
    return {"bands": bands(*pairs), "cap": {"amount_halalas": amount, "partner_bp_after": after}}


@every(
    ("terms", "cumulative", "partner", "why"),
    [
        (CAPPED, -15, -11, "below zero the first band counts, and -10.5 is floored to -11"),
        (CAPPED, 0, 0, "nothing of nothing"),
        (CAPPED, 1000, 700, "the first band whole"),
        (CAPPED, 1199, 799, "799.5 is floored"),
        (CAPPED, 1200, 800, "the cap is reached"),
        (CAPPED, 1500, 830, "beyond the cap a tenth"),
        (PLATEAU, 1000, 700, "the cap is reached where the plateau begins"),
        (PLATEAU, 1500, 750, "so the plateau is already beyond it"),
        (PLATEAU, 2001, 800, "800.1 is floored"),
        (capped(100, 10_000, (None, 3333)), 301, 100, "reached between two halalas: C* = 300.03, then all of the rest"),
        (capped(100, 10_000, (None, 3333)), 302, 101, "100 + (302 - 300.03) = 101.97"),
        (capped(0, 1000, (None, 7000)), 99, 9, "a cap of nothing is reached at once"),
        (capped(0, 1000, (None, 7000)), -10, -7, "but below zero the first band counts"),
        (capped(60, 10_000, (100, 5000), (None, 0)), 10**9, 50, "a cap that is never reached changes nothing"),
        (capped(5, 0, (100, 0), (None, 10_000)), 10**9, 5, "a first band of nothing"),
        ({"bands": bands((None, 9999)), "cap": None}, 2**53 - 1, (2**53 - 1) * 9999 // 10_000, "it stays exact"),
    ],
)
def test_r7s_vectors_and_edges_of_its_bands(terms: dict[str, Any], cumulative: int, partner: int, why: str) -> None:
    assert price_table(terms).partner_halalas(cumulative) == partner, why


RATES = st.sampled_from([0, 1, 3333, 5000, 7000, 9999, 10_000]) | st.integers(0, 10_000)
AMOUNTS = st.integers(-60, 200) | st.integers(-(2**53), 2**53)


@st.composite
def priced_terms(draw: st.DrawFn) -> dict[str, Any]:
    limits = sorted(draw(st.sets(st.integers(1, 100) | st.integers(1, 2**53 - 1), max_size=4)))
    cap = st.fixed_dictionaries(
        {"amount_halalas": st.integers(0, 120) | st.integers(0, 2**53 - 1), "partner_bp_after": RATES}
    )
    return {"bands": bands(*((limit, draw(RATES)) for limit in [*limits, None])), "cap": draw(st.none() | cap)}


@given(priced_terms(), AMOUNTS)
def test_whole_numbers_say_what_exact_fractions_say(terms: dict[str, Any], cumulative: int) -> None:
    assert price_table(terms).partner_halalas(cumulative) == floored_share(terms, cumulative)


@given(priced_terms(), st.integers(-(2**40), 2**40), st.integers(1, 2**40))
def test_both_parts_of_a_receipt_are_whole_and_sum_up_to_it(terms: dict[str, Any], before: int, amount: int) -> None:
    table = price_table(terms)
    partner, treasury = share(table, before, before + amount)
    assert partner + treasury == amount
    assert partner >= 0
    assert treasury >= 0
    assert share(table, before + amount, before) == (-partner, -treasury)


@given(priced_terms(), st.lists(st.integers(-1000, 1000), max_size=12), st.randoms(use_true_random=False))
def test_in_one_version_the_order_does_not_matter(terms: dict[str, Any], amounts: list[int], random: Any) -> None:
    table = price_table(terms)

    def partner_total(order: list[int]) -> int:
        total = cumulative = 0
        for amount in order:
            total += share(table, cumulative, cumulative + amount)[0]
            cumulative += amount
        return total

    shuffled = list(amounts)
    random.shuffle(shuffled)
    assert partner_total(amounts) == partner_total(shuffled) == table.partner_halalas(sum(amounts))
    assert price_table({**terms, "ends_on": "2007-01-01"}) is table, "equal bands and cap share one"
