"""The form of reconciliation without its file, as one that outlived its session is sent: what was typed stays."""

from __future__ import annotations

from fastapi import FastAPI

from consumers.console.accounts.accounts import Account
from consumers.console.data.read_api import Answer
from infra.http.callers import Caller
from tests.unit.consumers.console.without_services import CSRF, browser

TYPED = {"kind": "revenue.paid-out", "date_column": "day of payment", "amount_column": "sum"}


class OnePartnership:
    """A read API that has one partnership."""

    app = FastAPI()

    async def get(self, caller: Caller, path: str, parameters: object = None) -> Answer:
        return Answer({"partnership_id": "P-1"})


async def test_a_form_without_its_file_asks_for_the_file_alone() -> None:
    async with browser(Account("desk", "office"), read_api=OnePartnership()) as client:
        client.cookies.set("yesser-language", "en")
        answer = await client.post("/partnerships/P-1/reconcile", data={"csrf": CSRF, **TYPED})
    assert answer.status_code == 422
    assert "Choose a CSV file." in answer.text
    assert 'value="day of payment"' in answer.text
    assert '<option value="revenue.paid-out" selected>' in answer.text
