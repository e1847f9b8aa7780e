"""What the pages say of missing numbers: every status has its words, and a number may have twenty digits."""

from __future__ import annotations

from typing import Any, Final, get_args

from consumers.documents.document import document_of
from consumers.documents.log.entries import Months
from producers.gateway.answers import CompletenessStatus
from tests.every import every
from tests.world.pages import AGENCY, OFFICE, Documents, Replies, page

STATUSES: Final = get_args(CompletenessStatus)
LONG: Final = str(10**20 - 1)
LONG_SHOWN: Final = "99,999,999,999,999,999,999"


def months(name: str, parameters: Any) -> Any:
    """One agency for each status."""
    numbers = {"first": 1, "last": LONG, "missing_count": LONG}
    rows = [{"agency": f"agency-{status}", "status": status, **numbers} for status in STATUSES]
    found = {"month": "2026-11", "months": ["2026-11"], "agencies": rows}
    return [] if name == "refusals_for" else document_of(Months, found)


def numbers(status: str) -> Replies:
    """A gateway with the numbers of one agency."""
    counts = {"seen_count": 1, "highest": LONG, "missing_count": LONG, "missing": [[4, LONG]]}
    receipts = {"receipts": [], "next": 0, "read_up_to": 0}
    return Replies(lambda _, path: (200, {"status": status, **counts} if path == "/v1/completeness" else receipts))


async def test_every_status_of_a_month_has_its_words() -> None:
    answer = await page(OFFICE, "/audit/completeness", read_api=Documents(months))
    assert answer.status_code == 200
    assert answer.text.count(LONG_SHOWN) == 2 * len(STATUSES)
    for words in ("أرقام أشهر سابقة فقط", "لم تُرسل أرقام", "غير معروف"):
        assert words in answer.text


@every("status", STATUSES)
async def test_a_workspace_says_what_is_missing_only_where_it_is_known(status: str) -> None:
    shown = (await page(AGENCY, "/workspace", "en", read_api=Documents(months), gateway=numbers(status))).text
    sentence = "Not all numbers were kept, so it is not known which are missing."
    assert (sentence in shown) == (status == "not-known")
    assert (LONG_SHOWN in shown) == (status != "no-numbers-sent")
    assert (f"4–{LONG}" in shown) == (status not in ("no-numbers-sent", "not-known"))
