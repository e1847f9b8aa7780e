"""A table without a mapping on the page: the file first, then what is said of its columns."""

from __future__ import annotations

from consumers.console.pages.partnerships.reconciliation import ColumnsForm
from consumers.documents.document import document_of
from consumers.documents.ledger.partnerships import PartnershipAndTerms
from consumers.explain.ledger.bank_table import Columns
from tests.world.pages import CSRF, OFFICE, Documents, browser
from tests.world.partnership import DOCUMENT


async def test_without_a_file_or_with_an_empty_one_a_file_is_asked_for() -> None:
    one = Documents(lambda *_: document_of(PartnershipAndTerms, DOCUMENT, versions=[]))
    async with browser(OFFICE, "en", read_api=one) as client:
        for files in ({}, {"table": ("bank.csv", b"")}):
            answer = await client.post("/partnerships/P-1/reconcile", data={"csrf": CSRF, "date": "0"}, files=files)
            assert answer.status_code == 422
            assert "Choose a CSV or XLSX file." in answer.text


def test_columns_are_said_by_their_places_and_what_is_no_place_is_not_taken() -> None:
    form = ColumnsForm(kind="revenue.paid-out", date="2", amount="0", id="1", unit="halalas", order="month-first")
    said = Columns(kind="revenue.paid-out", date=2, amount=0, id=1, in_halalas=True, month_first=True)
    assert form.columns() == said
    for wrong in (
        ColumnsForm(),
        ColumnsForm(date="1"),
        ColumnsForm(date="x", amount="0"),
        ColumnsForm(date="-1", amount="0"),
        ColumnsForm(date="1", amount="0", delimiter="Tab", read_with="Comma"),
    ):
        assert wrong.columns() is None


async def test_what_is_said_of_a_file_that_is_no_longer_there_is_not_applied_to_another() -> None:
    one = Documents(lambda *_: document_of(PartnershipAndTerms, DOCUMENT, versions=[]))
    async with browser(OFFICE, "en", read_api=one) as client:
        said = {"csrf": CSRF, "file": "0" * 64, "date": "0", "amount": "1", "step": "compare"}
        answer = await client.post("/partnerships/P-1/reconcile", data=said)
    assert (answer.status_code, "choose the file again" in answer.text) == (422, True)
