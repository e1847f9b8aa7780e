"""A report waits for what becomes of it, and no longer."""

from __future__ import annotations

import pytest

from consumers.console.data.read_api import Answer
from tests.unit.consumers.console.campaigns.rows import campaign
from tests.world.pages import CSRF, TEAM, Documents, Replies, browser

ADDRESS = "agency.health.events/0/7"


@pytest.mark.parametrize("state", ["refused", "lost"])
async def test_a_report_that_is_final_without_an_entry_is_not_waited_for(state: str) -> None:
    stored = {"receipt": {"events": [{"address": ADDRESS}]}}
    gateway = Replies(lambda method, _: (202, stored) if method == "POST" else (200, {"state": state}))
    campaigns = Documents(lambda path, _: Answer([campaign()] if path == "/v1/inbox" else campaign(), log_index=1))
    async with browser(TEAM, read_api=campaigns, gateway=gateway) as client:
        sent = {"csrf": CSRF, "by": "press", "on": "2026-11-26"}
        answer = await client.post("/campaigns/service-launched.i4/acknowledge", data=sent)
    assert answer.status_code == 303
    assert [request.method for request in gateway.requests] == ["POST", "GET"]
