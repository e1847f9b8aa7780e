"""The form of reconciliation is the mapping that the command takes, with every other column ignored."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from consumers.console.pages.partnerships.table_form import TableForm, findings_of
from infra.errors import WrongInput
from tests.world.partnership import History

FORM = TableForm(id_column="ref", date_column="booked", amount_column="sum")
LOG = History((100, "2005-01-05"), (200, "2005-01-06")).raw()


def kinds(form: TableForm, text: str) -> list[str]:
    return [finding.kind.value for finding in findings_of(form, io.BytesIO(text.encode()), LOG)]


def test_rows_are_matched_by_the_named_columns() -> None:
    assert kinds(FORM, "ref,note,booked,sum\nR1,x,2005-01-05,1.00\nR2,,2005-01-06,2.01\n") == ["matched", "different"]


def test_without_an_id_column_rows_are_matched_by_date_and_amount() -> None:
    form = TableForm(date_column="booked", amount_column="sum", amounts="halalas", delimiter=";")
    assert kinds(form, "booked;sum\n2005-01-05;100\n2005-01-05;100\n") == ["matched", "doubled"]


@pytest.mark.parametrize("name", ["currency", " Currency", "العملة", "عملة"])
def test_another_currency_is_never_matched(name: str) -> None:
    table = f"ref,booked,sum,{name}\nR1,2005-01-05,1.00,USD\nR2,2005-01-06,2.00,SAR\n"
    assert kinds(FORM, table) == ["unreadable", "matched"]


def test_the_currency_may_be_in_a_column_of_any_name() -> None:
    table = "ref,booked,sum,unit\nR1,2005-01-05,1.00,USD\nR2,2005-01-06,2.00,\n"
    assert kinds(FORM, table) == ["matched", "matched"]
    assert kinds(replace(FORM, currency_column=" unit "), table) == ["unreadable", "matched"]


def test_a_column_that_the_table_lacks_is_named() -> None:
    with pytest.raises(WrongInput, match="booked"):
        kinds(FORM, "ref,date,sum\nR1,2005-01-05,1.00\n")
    with pytest.raises(WrongInput):
        kinds(FORM, "")


def test_what_is_missing_in_the_form_is_said() -> None:
    assert FORM.fault() is None
    assert TableForm(date_column=" ", amount_column="sum").fault() is not None
    assert TableForm(date_column="a", amount_column="b", kind="service.launched").fault() is not None
    assert TableForm(date_column="a", amount_column="b", encoding="utf-7").fault() is not None


def test_an_entry_that_a_partner_may_not_see_is_missing_for_it() -> None:
    table = io.BytesIO(b"ref,booked,sum\nR1,2005-01-05,1.00\nR2,2005-01-06,2.00\n")
    found = findings_of(FORM, table, LOG)
    first, second = findings_of(FORM, table, LOG, frozenset({found[0].index or -1}))
    assert (first.kind.value, first.index, first.log_halalas) == ("missing-in-log", None, None)
    assert second == found[1]


def test_its_id_is_not_shown_to_a_row_without_one() -> None:
    history = History()
    history.collect(5, "2005-01-06", service="other")
    form, text = TableForm(date_column="booked", amount_column="sum"), b"booked,sum\n2005-01-06,0.05\n"
    (known,) = findings_of(form, io.BytesIO(text), history.raw())
    (unknown,) = findings_of(form, io.BytesIO(text), history.raw(), frozenset({1}))
    assert (known.kind.value, known.index, known.id) == ("different", 1, "R1")
    assert (unknown.kind.value, unknown.index, unknown.id) == ("missing-in-log", None, None)
