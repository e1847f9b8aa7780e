"""What the pages say of missing numbers: every status has its words, and a number may have twenty digits."""

from __future__ import annotations

from typing import Any, Final

import pytest
from fastapi import FastAPI

from consumers.completeness import routes
from consumers.console.accounts.accounts import Account
from consumers.console.data.gateway import Reply
from consumers.console.data.read_api import Answer
from tests.unit.consumers.console.without_services import browser

LONG: Final = str(10**20 - 1)
LONG_SHOWN: Final = "99,999,999,999,999,999,999"
STATUSES: Final = routes._ROW["properties"]["status"]["enum"]


class Months:
    """A read API with one agency for each status."""

    app = FastAPI()

    async def get(self, caller: Any, path: str, parameters: dict[str, Any]) -> Answer:
        if path == "/v1/refusals":
            return Answer([])
        numbers = {"first": 1, "last": LONG, "missing_count": LONG}
        rows = [{"agency": f"agency-{status}", "status": status, **numbers} for status in STATUSES]
        return Answer({"month": "2026-11", "months": ["2026-11"], "agencies": rows})


class Numbers:
    """A gateway with the numbers of one agency."""

    def __init__(self, status: str) -> None:
        self._status = status

    async def ask(self, sending: Any, method: str, path: str, **options: Any) -> Reply:
        if path == "/v1/completeness":
            counts = {"seen_count": 1, "highest": LONG, "missing_count": LONG, "missing": [[4, LONG]]}
            return Reply(200, {"status": self._status, **counts}, {})
        return Reply(200, {"receipts": [], "next": 0, "read_up_to": 0}, {})


async def test_every_status_of_a_month_has_its_words() -> None:
    async with browser(Account("desk", "office"), read_api=Months()) as client:
        page = await client.get("/audit/completeness")
    assert page.status_code == 200
    assert page.text.count(LONG_SHOWN) == 2 * len(STATUSES)
    for words in ("أرقام أشهر سابقة فقط", "بلا أرقام", "غير معروف"):
        assert words in page.text


@pytest.mark.parametrize("status", STATUSES)
async def test_a_workspace_says_what_is_missing_only_where_it_is_known(status: str) -> None:
    account = Account("desk", "agency", "health")
    async with browser(account, read_api=Months(), gateway=Numbers(status)) as client:
        client.cookies.set("yesser-language", "en")
        page = (await client.get("/workspace")).text
    sentence = "Not all numbers were kept, so it is not known which are missing."
    assert (sentence in page) == (status == "not-known")
    assert (LONG_SHOWN in page) == (status != "no-numbers-sent")
    assert (f"4–{LONG}" in page) == (status not in ("no-numbers-sent", "not-known"))
