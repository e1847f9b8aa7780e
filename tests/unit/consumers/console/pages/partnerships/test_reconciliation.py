"""The form of reconciliation without its file, as one that outlived its session is sent: what was typed stays."""

from __future__ import annotations

from consumers.documents.document import document_of
from consumers.documents.ledger.partnerships import PartnershipAndTerms
from tests.world.pages import CSRF, OFFICE, Documents, browser
from tests.world.partnership import DOCUMENT

TYPED = {"kind": "revenue.paid-out", "date_column": "day of payment", "amount_column": "sum"}


async def test_a_form_without_its_file_asks_for_the_file_alone() -> None:
    one = Documents(lambda *_: document_of(PartnershipAndTerms, DOCUMENT, versions=[]))
    async with browser(OFFICE, "en", read_api=one) as client:
        answer = await client.post("/partnerships/P-1/reconcile", data={"csrf": CSRF, **TYPED})
    assert answer.status_code == 422
    assert "Choose a CSV file." in answer.text
    assert 'value="day of payment"' in answer.text
    assert '<option value="revenue.paid-out" selected>' in answer.text
