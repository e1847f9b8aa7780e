"""The list of partnerships as a file has all of them."""

from __future__ import annotations

import csv
import io
from typing import cast

from consumers.console.data.read_api import Answer
from consumers.console.pages.partnerships.routes import partnerships_file
from consumers.console.visit import Visit
from tests.world.partnership import DOCUMENT

IDS = [f"P{number}" for number in range(5)]


class Reading:
    """Answers pages of two rows. The last partnership has no open period."""

    async def read(self, path: str, limit: int, after: str | None = None) -> Answer:
        assert limit > 2
        periods = [
            {"partnership_id": name, "period": "2005-01", "expected_halalas": 1, "net_halalas": 2} for name in IDS
        ]
        rows = [DOCUMENT | {"partnership_id": name} for name in IDS] if path == "/v1/partnerships" else periods[:-1]
        start = int(after or 0)
        more = f"http://console{path}?limit=2&after={start + 2}" if start + 2 < len(rows) else None
        return Answer(rows[start : start + 2], next=more)


async def test_every_page_of_the_list_is_in_the_file() -> None:
    response = await partnerships_file(cast(Visit, Reading()))
    rows = list(csv.DictReader(io.StringIO(bytes(response.body).decode("utf-8-sig"))))
    assert [found["partnership_id"] for found in rows] == IDS
    assert [found["open_period"] for found in rows] == ["2005-01"] * 4 + [""]
