"""The form of what-if: texts become whole halalas and basis points, and what is wrong is said at its field."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.console.pages.partnerships.what_if import (
    difference_chart,
    other_terms,
    percent,
    plain_riyals,
    refused_terms,
    totals,
)
from consumers.console.web.language import hundredths
from consumers.documents.document import document_of
from consumers.documents.ledger.forecasts import ComparedPeriod, PricedFigures
from consumers.explain.ledger.what_if import WrongTerms, require_terms
from tests.every import every
from tests.world.partnership import History

SIGNED: dict[str, Any] = {
    "bands": [
        {"up_to_halalas": 50_000_000, "partner_bp": 7_000},
        {"up_to_halalas": 150_000_050, "partner_bp": 5_525},
        {"up_to_halalas": None, "partner_bp": 4_000},
    ],
    "cap": None,
    "guarantee": {"partner_floor_bp_of_expected": 5_000, "recoverable": True},
}


def test_without_parameters_the_form_has_the_terms_as_signed_and_asks_nothing() -> None:
    form = other_terms(SIGNED, {})
    assert not form.is_given
    assert not form.faults
    assert form.terms == {"bands": SIGNED["bands"], "guarantee": SIGNED["guarantee"]}
    assert [band.rate.value for band in form.bands] == ["70", "55.25", "40"]
    assert [band.limit and band.limit.value for band in form.bands] == ["500000", "1500000.50", None]
    assert all(one.slider_value <= one.slider_max for band in form.bands for one in (band.rate, band.limit) if one)


def test_its_own_texts_give_the_same_terms_and_a_shared_address_may_name_some_fields_only() -> None:
    first = other_terms(SIGNED, {})
    texts = {one.name: one.value for band in first.bands for one in (band.rate, band.limit) if one}
    form = other_terms(SIGNED, {"form": "1", "floor": first.floor.value, "recoverable": "yes", **texts})
    assert form.is_given
    assert form.terms == first.terms
    shared = other_terms(SIGNED, {"rate1": "60"})
    assert [band["partner_bp"] for band in shared.terms["bands"]] == [7_000, 6_000, 4_000]
    assert shared.terms["guarantee"] == SIGNED["guarantee"]
    assert other_terms(SIGNED, {"form": "1", "rate1": "60"}).terms["guarantee"]["recoverable"] is False
    assert other_terms(SIGNED, {"form": "1", "floor": " "}).terms["guarantee"] is None


@every(("terms", "field"), [({"expected": [], "guarantee": SIGNED["guarantee"]}, "floor"), ({"bands": []}, "bands")])
def test_what_the_contract_refuses_is_said_at_its_field(terms: dict[str, Any], field: str) -> None:
    """A contract that expects nothing takes no guarantee, and the form has no expected amounts."""
    with pytest.raises(WrongTerms) as refused:
        require_terms(History().raw(), terms)
    faults, rules = refused_terms(str(refused.value))
    assert set(faults) == {field}
    assert rules == ("" if field == "floor" else str(refused.value))


@every(
    ("given", "field"),
    [
        ({"rate0": "101"}, "rate0"),
        ({"rate0": "-1"}, "rate0"),
        ({"rate0": "7e1"}, "rate0"),
        ({"rate0": "62.555"}, "rate0"),
        ({"rate2": "<b>"}, "rate2"),
        ({"limit0": ""}, "limit0"),
        ({"limit1": "400000"}, "limit1"),
        ({"limit1": "500000"}, "limit1"),
        ({"floor": "ten"}, "floor"),
        ({"limit0": "9" * 14}, "limit0"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(given: dict[str, str], field: str) -> None:
    form = other_terms(SIGNED, given)
    assert list(form.faults) == [field]
    shown = {one.name: one.value for band in form.bands for one in (band.rate, band.limit, form.floor) if one}
    assert shown[field] == given[field], "what was typed stays"


@every(
    ("text", "found"),
    [
        *(("62.5", 6_250), ("٦٢٫٥", 6_250), ("1,500,000.05", 150_000_005), ("0", 0), ("70%", 7_000)),
        *(("", None), (".5", None), ("6,25", None)),
    ],
)
def test_a_number_is_read_in_hundredths(text: str, found: int | None) -> None:
    assert hundredths(text) == found


@every("amount", [0, 1, 10, 100, 105, 6_250, 10_000])
def test_numbers_are_written_as_they_are_read(amount: int) -> None:
    assert hundredths(percent(amount)) == hundredths(plain_riyals(amount)) == amount


def compared(period: str, actual: int, supposed: int | None) -> ComparedPeriod:
    """A period of which the partner gets so much; what the partner gains, the treasury loses."""
    figures = dict.fromkeys(PricedFigures.__struct_fields__, 0)
    sides = [None if total is None else figures | {"partner_total_halalas": total} for total in (actual, supposed)]
    gained = None if supposed is None else supposed - actual
    values = (period, *sides, gained, None if gained is None else -gained)
    return document_of(ComparedPeriod, dict(zip(ComparedPeriod.__struct_fields__, values, strict=True)))


def test_sums_and_the_chart_leave_out_what_only_one_history_closes() -> None:
    rows = [compared("1", 500, 700), compared("2", 500, None), compared("3", 100, 50)]
    assert list(totals(rows).values()) == [600, 750, 150, -150]
    chart = difference_chart(rows)
    assert [bar.height for bar in chart.bars] == [120, 120, 0, 0, 30, 30]
    assert [bar.y for bar in chart.bars] == [20, 140, 140, 140, 140, 110], "more is above the axis, less is below it"
    assert chart.most == "2.00"
    assert difference_chart([]).bars == ()
