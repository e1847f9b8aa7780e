"""What each role may open, and what a suspended agency may not."""

from __future__ import annotations

import pytest

from consumers.console.accounts.accounts import Account, Role
from tests.unit.consumers.console.without_services import browser

_TOKENS = "/workspace/tokens"


@pytest.mark.parametrize("role", ["agency", "team"])
@pytest.mark.parametrize("path", ["/plan", "/plan/services.csv", "/campaigns", "/explain/plan/anomalies/count"])
async def test_a_suspended_agency_reads_nothing(role: Role, path: str) -> None:
    async with browser(Account("desk", role, "health", is_suspended=True)) as client:
        answer = await client.get(path, headers={"cookie": "yesser-session=any; yesser-language=en"})
        assert answer.status_code == 403
        assert "The agency is suspended" in answer.text


async def test_a_suspended_agency_reads_neither_its_tokens_nor_a_document() -> None:
    async with browser(Account("desk", "agency", "health", is_suspended=True)) as client:
        assert (await client.get(_TOKENS)).status_code == 403
        for path in ("/v1/plan", "/v1/entries", "/v1/partnerships"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/suspended")
