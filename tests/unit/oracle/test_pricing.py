"""The vectors of R7."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.oracle.log import JsonObject
from tests.oracle.pricing import cap_point, floored_share, share


def terms(bands: list[tuple[int | None, int]], cap: tuple[int, int] | None) -> JsonObject:
    return {
        "bands": [{"up_to_halalas": limit, "partner_bp": rate} for limit, rate in bands],
        "cap": None if cap is None else {"amount_halalas": cap[0], "partner_bp_after": cap[1]},
    }


STEPS = terms([(1000, 7000), (None, 5000)], (800, 1000))
PLATEAU = terms([(1000, 7000), (2000, 0), (None, 5000)], (700, 1000))


@pytest.mark.parametrize(
    ("cumulative", "exact", "floored"),
    [
        (-15, Fraction(-21, 2), -11),
        (0, 0, 0),
        (1000, 700, 700),
        (1199, Fraction(1599, 2), 799),
        (1200, 800, 800),
        (1500, 830, 830),
    ],
)
def test_a_capped_share_follows_the_vectors(cumulative: int, exact: Fraction, floored: int) -> None:
    assert share(STEPS, cumulative) == exact
    assert floored_share(STEPS, cumulative) == floored


@pytest.mark.parametrize(("cumulative", "floored"), [(1000, 700), (1500, 750), (2001, 800)])
def test_a_cap_on_a_plateau_is_reached_at_its_beginning(cumulative: int, floored: int) -> None:
    assert floored_share(PLATEAU, cumulative) == floored


def test_a_cap_that_is_never_reached_changes_nothing() -> None:
    flat = terms([(100, 5000), (None, 0)], (51, 10_000))
    assert cap_point(flat["bands"], 51) is None
    assert floored_share(flat, 10**9) == 50


def test_a_cap_of_nothing_is_reached_at_once() -> None:
    assert floored_share(terms([(None, 7000)], (0, 1000)), 1000) == 100


def test_a_cap_point_may_be_a_fraction_of_a_halala() -> None:
    assert cap_point([{"up_to_halalas": None, "partner_bp": 3333}], 1) == Fraction(10_000, 3333)
