"""The form of reconciliation: what was typed stays, and it is the mapping that the command takes."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from consumers.console.pages.partnerships.reconciliation import TableForm, findings_of
from consumers.documents.document import document_of
from consumers.documents.ledger.partnerships import PartnershipAndTerms
from infra.errors import WrongInput
from tests.world.pages import CSRF, OFFICE, Documents, browser
from tests.world.partnership import DOCUMENT, History

TYPED = {"kind": "revenue.paid-out", "date_column": "day of payment", "amount_column": "sum"}


async def test_a_form_without_its_file_asks_for_the_file_alone() -> None:
    one = Documents(lambda *_: document_of(PartnershipAndTerms, DOCUMENT, versions=[]))
    async with browser(OFFICE, "en", read_api=one) as client:
        answer = await client.post("/partnerships/P-1/reconcile", data={"csrf": CSRF, **TYPED})
    assert answer.status_code == 422
    assert "Choose a CSV file." in answer.text
    assert 'value="day of payment"' in answer.text
    assert '<option value="revenue.paid-out" selected>' in answer.text


FORM = TableForm(id_column="ref", date_column="booked", amount_column="sum")
LOG = History((100, "2005-01-05"), (200, "2005-01-06")).raw()


def kinds(form: TableForm, text: str) -> list[str]:
    return [finding.kind.value for finding in findings_of(form, io.BytesIO(text.encode()), LOG)]


def test_rows_are_matched_by_the_named_columns_else_by_date_and_amount() -> None:
    assert kinds(FORM, "ref,note,booked,sum\nR1,x,2005-01-05,1.00\nR2,,2005-01-06,2.01\n") == ["matched", "different"]
    form = TableForm(date_column="booked", amount_column="sum", amounts="halalas", delimiter=";")
    assert kinds(form, "booked;sum\n2005-01-05;100\n2005-01-05;100\n") == ["matched", "doubled"]


def test_another_currency_is_never_matched() -> None:
    for name in ("currency", " Currency", "العملة", "عملة"):
        table = f"ref,booked,sum,{name}\nR1,2005-01-05,1.00,USD\nR2,2005-01-06,2.00,SAR\n"
        assert kinds(FORM, table) == ["unreadable", "matched"], name
    table = "ref,booked,sum,unit\nR1,2005-01-05,1.00,USD\nR2,2005-01-06,2.00,\n"
    assert kinds(FORM, table) == ["matched", "matched"]
    assert kinds(replace(FORM, currency_column=" unit "), table) == ["unreadable", "matched"]


def test_what_is_missing_in_the_form_or_in_its_table_is_said() -> None:
    assert FORM.fault() is None
    assert TableForm(date_column=" ", amount_column="sum").fault() is not None
    for wrong in ({"kind": "service.launched"}, {"encoding": "utf-7"}):
        assert replace(FORM, **wrong).fault() is not None, wrong
    with pytest.raises(WrongInput, match="booked"):
        kinds(FORM, "ref,date,sum\nR1,2005-01-05,1.00\n")
    with pytest.raises(WrongInput):
        kinds(FORM, "")


def test_an_entry_that_a_partner_may_not_see_is_missing_for_it_and_its_id_is_not_shown() -> None:
    table = io.BytesIO(b"ref,booked,sum\nR1,2005-01-05,1.00\nR2,2005-01-06,2.00\n")
    found = findings_of(FORM, table, LOG)
    first, second = findings_of(FORM, table, LOG, frozenset({found[0].index or -1}))
    assert (first.kind.value, first.index, first.log_halalas) == ("missing-in-log", None, None)
    assert second == found[1]
    history = History()
    history.collect(5, "2005-01-06", service="other")
    form, text = TableForm(date_column="booked", amount_column="sum"), b"booked,sum\n2005-01-06,0.05\n"
    (known,) = findings_of(form, io.BytesIO(text), history.raw())
    (unknown,) = findings_of(form, io.BytesIO(text), history.raw(), frozenset({1}))
    assert (known.kind.value, known.index, known.id) == ("different", 1, "R1")
    assert (unknown.kind.value, unknown.index, unknown.id) == ("missing-in-log", None, None)
