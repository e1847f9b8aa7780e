"""The list of partnerships as a file has all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, cast

from consumers.console.pages.partnerships.routes import partnerships_file
from consumers.console.visit import Visit
from consumers.documents.document import documents_of
from consumers.documents.ledger.partnerships import Partnership
from consumers.documents.ledger.periods import OpenPeriod
from consumers.ledger.over_http.routes import open_periods_for
from consumers.read_api.reader import Answer, State
from tests.world.partnership import DOCUMENT

IDS = [f"P{number}" for number in range(5)]


class Reading:
    """Answers pages of two rows. The last partnership has no open period."""

    all_rows = Visit.all_rows

    async def ask(self, function: Callable[..., Any], limit: int, after: str | None = None) -> Answer[list[Any]]:
        assert limit > 2
        sums = {"period": "2005-01", "expected_halalas": 1, "net_halalas": 2}
        rows: list[Any] = documents_of(Partnership, [DOCUMENT | {"partnership_id": name} for name in IDS])
        if function is open_periods_for:
            rows = documents_of(OpenPeriod, [sums | {"partnership_id": name} for name in IDS[:-1]])
        start = int(after or 0)
        more = str(start + 2) if start + 2 < len(rows) else None
        return Answer(rows[start : start + 2], State([0]), more)


async def test_every_page_of_the_list_is_in_the_file() -> None:
    response = await partnerships_file(cast(Visit, Reading()))
    rows = list(csv.DictReader(io.StringIO(bytes(response.body).decode("utf-8-sig"))))
    assert [found["partnership_id"] for found in rows] == IDS
    assert [found["open_period"] for found in rows] == ["2005-01"] * 4 + [""]
