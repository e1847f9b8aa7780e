"""Exact halalas: one floor, towards minus infinity."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.values.money import INTEGER_MAX, exact_share, floor_of, floor_share, riyals_text


@pytest.mark.parametrize(
    ("amount", "basis_points", "share"),
    [(-15, 7000, -11), (15, 7000, 10), (1000, 7000, 700), (0, 10_000, 0), (INTEGER_MAX, 10_000, INTEGER_MAX)],
)
def test_a_share_is_floored_towards_minus_infinity(amount: int, basis_points: int, share: int) -> None:
    assert floor_share(amount, basis_points) == share


@given(st.integers(-INTEGER_MAX, INTEGER_MAX), st.integers(0, 10_000))
def test_the_floor_of_the_exact_share_is_the_floored_share(amount: int, basis_points: int) -> None:
    assert floor_of(exact_share(amount, basis_points)) == floor_share(amount, basis_points)


def test_a_rational_is_floored() -> None:
    assert (floor_of(Fraction(-21, 2)), floor_of(Fraction(21, 2)), floor_of(Fraction(4))) == (-11, 10, 4)


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (1_234_567, "12,345.67"), (-100, "-1.00")]
)
def test_people_read_riyals(amount: int, text: str) -> None:
    assert riyals_text(amount) == text
