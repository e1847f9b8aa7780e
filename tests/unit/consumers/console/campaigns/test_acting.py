"""A report waits for what becomes of it, and no longer."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from consumers.console.accounts.accounts import Account
from consumers.console.data.gateway import Reply
from consumers.console.data.read_api import Answer
from consumers.console.pages.campaigns import acting
from infra.http.callers import Caller
from tests.unit.consumers.console.campaigns.test_campaign import campaign
from tests.unit.consumers.console.without_services import CSRF, browser

ADDRESS = "agency.health.events/0/7"


class Campaign:
    """A read API that has one campaign."""

    app = FastAPI()

    async def get(self, caller: Caller, path: str, parameters: Any) -> Answer:
        found = campaign(acknowledged_index=None, acknowledged=None)
        return Answer([found] if path == "/v1/inbox" else found, log_index=1)


class Gateway:
    """It takes a report, and gives the same verdict on it each time that it is asked."""

    def __init__(self, state: str) -> None:
        self.asked = 0
        self._state = state

    async def ask(self, sending: Any, method: str, path: str, *given: Any, **more: Any) -> Reply:
        if method == "POST":
            return Reply(202, {"receipt": {"events": [{"address": ADDRESS}]}}, {})
        self.asked += 1
        return Reply(200, {"state": self._state}, {})


@pytest.mark.parametrize("state", ["refused", "lost"])
async def test_a_report_that_is_final_without_an_entry_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(acting, "APPLIED_WAIT_S", 0.2)
    monkeypatch.setattr(acting, "LOOK_EVERY_S", 0.01)
    gateway = Gateway(state)
    async with browser(Account("desk", "team", "health", "press"), read_api=Campaign(), gateway=gateway) as client:
        sent = {"csrf": CSRF, "by": "press", "on": "2026-11-26"}
        answer = await client.post("/campaigns/service-launched.i4/acknowledge", data=sent)
    assert (answer.status_code, gateway.asked) == (303, 1)
