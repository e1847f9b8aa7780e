"""What the pages say of partnerships, accounts and amounts."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.console.pages.partnerships.amounts import band_words, exact_money, guarantee_formula
from consumers.console.pages.partnerships.shown import (
    account_meaning,
    amount_shown,
    list_cells,
    listed,
    owed,
    pace_basis_points,
    short_type,
    state_of,
    step_rows,
)
from consumers.console.web.language import Words

PARTNERSHIP: dict[str, Any] = {
    "partnership_id": "P-1",
    "agency": "health",
    "partner": {"partner_id": "ACME", "name": {"ar": "أكمي", "en": "Acme"}},
    "services": ["S1", "S2"],
    "terminated_on": None,
    "open_period": "2005-02",
    "payable_halalas": -5,
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "In force"),
        ({"open_period": None}, "All periods closed"),
        ({"terminated_on": "2005-02-01"}, "Terminated"),
        ({"terminated_on": "2005-02-01", "open_period": None}, "Terminated"),
    ],
)
def test_the_state_of_a_partnership(changes: dict[str, Any], said: str) -> None:
    assert state_of(PARTNERSHIP | changes).words.en == said


def test_who_owes_what() -> None:
    assert [owed(amount) for amount in (-5, 0, 5)] == ["by-partner", "nothing", "to-partner"]


def test_a_partnership_whose_periods_are_all_closed_has_no_open_one() -> None:
    period = {"partnership_id": "P-1", "period": "2005-02", "expected_halalas": 100, "net_halalas": 40}
    first, second = listed([PARTNERSHIP, PARTNERSHIP | {"partnership_id": "P-2"}], [period])
    assert first.open_period is period
    assert second.open_period["period"] is None
    assert [cells[-4:] for cells in list_cells([first, second])] == [("2005-02", 100, 40, -5), (None, 0, 0, -5)]


@pytest.mark.parametrize(
    ("kind", "balance", "said"),
    [
        ("partner-payable", -5, "owed to the partner"),
        ("partner-payable", 5, "owed by the partner"),
        ("cash", -5, "paid to the partner"),
        ("collections", 0, ""),
    ],
)
def test_an_account_says_what_its_sign_means(kind: str, balance: int, said: str) -> None:
    assert account_meaning({"kind": kind, "balance_halalas": balance}).en == said


def test_a_fraction_of_a_halala_is_shown_with_every_digit() -> None:
    assert str(exact_money(Words("en"), "79/20")) == '<span class="money"><bdi dir="ltr">SAR 0.0395</bdi></span>'
    assert str(exact_money(Words("ar"), "-79/20")) == '<span class="money"><bdi dir="ltr">-0.0395</bdi> ر.س</span>'
    assert exact_money(Words("en"), 395) == Words("en").money(395)


def test_a_formula_is_isolated_as_a_whole() -> None:
    guarantee = {"partner_floor_bp_of_expected": 5_050, "expected_halalas": 1_000, "guarantee_halalas": 505}
    assert str(guarantee_formula(guarantee)) == '<bdi dir="ltr" class="formula">50.5% × 10.00 = 5.05</bdi>'
    assert str(guarantee_formula(None)) == ""


def test_a_band_says_what_it_covers() -> None:
    band = {"kind": "band", "above_halalas": 0, "up_to_halalas": "100001/2", "rate_bp": 7_000}
    assert band_words(band).en == "from 0.00 to 500.005"


def test_an_amount_is_shown_by_its_name() -> None:
    words = Words("en")
    assert amount_shown(words, "net_halalas", -100) == words.money(-100)
    assert amount_shown(words, "floor_bp", 5_000) == words.percent(5_000)
    assert amount_shown(words, "closing_index", 1_234) == words.number(1_234)
    assert amount_shown(words, "first_index", None) == "—"


def test_the_steps_of_a_sum_have_changes_and_those_of_an_index_have_none() -> None:
    step = {"index": 7, "type": "sa.gov.yesser.revenue.collected.v1", "agency": "health", "recordedtime": "T"}
    explained = {"steps": [step | {"changes": {"net_halalas": {"before": 5, "after": 3}}}]}
    (row,) = step_rows(explained, "net_halalas")
    assert (row.type, row.before, row.after, row.change) == ("revenue.collected", 5, 3, -2)
    explained = {"steps": [step | {"changes": {"first_index": {"before": None, "after": 7}}}]}
    assert step_rows(explained, "first_index")[0].change is None


def test_small_texts() -> None:
    assert short_type("revenue.collected") == "revenue.collected"
    assert pace_basis_points("2/3") == 6_666
    assert pace_basis_points(None) is None
