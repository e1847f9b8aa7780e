"""While the database is away the trail cannot be written: what was sent is not said to be lost."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from fastapi import FastAPI

from consumers.console.accounts.accounts import Account
from consumers.console.data.gateway import Reply
from consumers.console.data.read_api import Answer, NotAnswered
from consumers.console.sending.receipts import Receipts
from consumers.console.sending.uploads import Uploads
from consumers.console.visit import Visit
from events.schema_tools.refusal_examples import golden_example
from infra.http.callers import Caller
from tests.unit.consumers.console.without_services import CSRF, browser

EVENT = orjson.loads(golden_example("service.launched"))
AGENCY = Account("desk", "agency", EVENT["source"].rpartition(":")[2])
ADDRESS = f"agency.{AGENCY.holder}.events/0/17"
CAMPAIGN: dict[str, Any] = {
    "campaign_id": "launch.i4",
    "owner": AGENCY.holder,
    "missing_channels": [],
    "acknowledged_index": None,
}


class Gateway:
    """A gateway that stores whatever it gets."""

    def __init__(self) -> None:
        self.stored = 0

    async def ask(self, sending: Any, method: str, path: str, **given: Any) -> Reply:
        if method == "GET":
            return Reply(200, {"state": "registered", "index": 7}, {})
        self.stored += 1
        return Reply(202, {"receipt": {"events": [{"event": 0, "address": ADDRESS}]}}, {})


class ReadApi:
    """A read API that has one campaign until it is reported about; then its database is away."""

    app = FastAPI()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def get(self, caller: Caller, path: str, parameters: object = None) -> Answer:
        if self._gateway.stored:
            raise NotAnswered(503, {"type": "/problems/database-away"})
        return Answer(CAMPAIGN)


async def test_an_event_that_was_stored_is_answered_with_its_receipt() -> None:
    gateway, receipts = Gateway(), Receipts()
    async with browser(AGENCY, gateway=gateway, receipts=receipts) as client:
        given = {"csrf": CSRF, "event": orjson.dumps(EVENT).decode()}
        answer = await client.post("/workspace/send", data=given)
    assert (answer.status_code, gateway.stored) == (303, 1)
    assert answer.headers["location"].startswith(f"/workspace/sent/{EVENT['id']}?")
    assert receipts.find(AGENCY.username, ADDRESS) is not None


async def test_a_report_that_was_stored_leads_to_its_campaign() -> None:
    gateway = Gateway()
    async with browser(AGENCY, gateway=gateway, read_api=ReadApi(gateway)) as client:
        answer = await client.post("/campaigns/launch.i4/acknowledge", data={"csrf": CSRF, "by": "press-desk"})
    assert (answer.status_code, gateway.stored) == (303, 1)
    assert answer.headers["location"].startswith("/campaigns/launch.i4?report=ack.launch.i4")


@pytest.mark.parametrize("is_away", [True, False])
async def test_a_file_is_sent_only_where_the_trail_says_so(monkeypatch: pytest.MonkeyPatch, is_away: bool) -> None:
    gateway: Any = Gateway()
    kept = Uploads(gateway)
    trail: list[tuple[Any, ...]] = []

    async def written(visit: Visit, *words: str, event_ids: list[str]) -> None:
        trail.append((words, event_ids, gateway.stored, kept.of(AGENCY.username)[0].state))

    if not is_away:
        monkeypatch.setattr(Visit, "add_to_trail", written)
    async with browser(AGENCY, gateway=gateway, uploads=kept) as client:
        files = {"file": ("a.ndjson", orjson.dumps(EVENT) + b"\n")}
        at = (await client.post("/workspace/files", data={"csrf": CSRF}, files=files)).headers["location"]
        answer = await client.post(f"{at}/send", data={"csrf": CSRF})
        (upload,) = kept.of(AGENCY.username)
        assert answer.status_code == (503 if is_away else 303)
        assert (upload.state == "checked") is is_away
    assert trail == ([] if is_away else [(("upload", "1"), [EVENT["id"]], 0, "checked")])
    await kept.close()
    assert not (is_away and gateway.stored)
