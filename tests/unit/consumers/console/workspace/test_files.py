"""The page of a file says where its faults are, however many they are."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.console.accounts.accounts import Account
from consumers.console.sending import uploads
from consumers.console.sending.uploads import Sender, Uploads
from tests.unit.consumers.console.without_services import NoGateway, browser

OFFICE = Account("desk", "office")
FAULTS = 150


@pytest.mark.parametrize(
    ("kept_max", "sentence", "rows"),
    [
        (1_000, "The first 100 faults are shown. The CSV has the others.", FAULTS),
        (120, "The file has 150 faults: the first 100 are shown, and the CSV has the first 120.", 120),
    ],
)
async def test_the_page_says_which_faults_the_csv_has(
    monkeypatch: pytest.MonkeyPatch, kept_max: int, sentence: str, rows: int
) -> None:
    monkeypatch.setattr(uploads, "PROBLEMS_KEPT_MAX", kept_max)
    gateway: Any = NoGateway()
    kept, caller = Uploads(gateway), OFFICE.caller()
    assert caller is not None
    assert caller.agency is not None
    sender = Sender(OFFICE.username, caller, caller.agency)
    found = await kept.check(sender, "a.ndjson", b"{broken\n" * FAULTS, None)
    assert found.faults_count == FAULTS
    async with browser(OFFICE, uploads=kept) as client:
        client.cookies.set("yesser-language", "en")
        assert sentence in (await client.get(f"/workspace/files/{found.id}")).text
        table = (await client.get(f"/workspace/files/{found.id}/faults.csv")).text
        assert len(table.splitlines()) == 1 + rows
