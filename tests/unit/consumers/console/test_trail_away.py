"""While the database is away the trail cannot be written: what was sent is not said to be lost."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from consumers.console.data.gateway import KEPT_MAX, Receipts
from consumers.console.page_request import Visit
from consumers.console.sending.uploads import Uploads
from events.schema_tools.refusal_examples import golden_example
from infra.http.problems import Problem
from tests.every import every
from tests.world.campaigns import campaign
from tests.world.pages import AGENCY, CSRF, Documents, Replies, browser, stored

EVENT = orjson.loads(golden_example("service.launched")) | {"source": f"urn:yesser:agency:{AGENCY.holder}"}
ADDRESS = f"agency.{AGENCY.holder}.events/0/17"


class Gateway(Replies):
    """A gateway that stores whatever it gets."""

    def __init__(self) -> None:
        verdict = {"state": "registered", "index": 7}
        super().__init__(lambda method, _: (200, verdict) if method == "GET" else (202, stored(ADDRESS)))

    @property
    def stored(self) -> int:
        return sum(request.method == "POST" for request in self.requests)


async def test_an_event_that_was_stored_is_answered_with_its_receipt() -> None:
    gateway, receipts = Gateway(), Receipts(KEPT_MAX)
    async with browser(AGENCY, gateway=gateway, receipts=receipts) as client:
        given = {"csrf": CSRF, "event": orjson.dumps(EVENT).decode()}
        answer = await client.post("/workspace/send", data=given)
    assert (answer.status_code, gateway.stored) == (303, 1)
    assert answer.headers["location"].startswith(f"/workspace/sent/{EVENT['id']}?")
    assert [*receipts] == [(AGENCY.username, ADDRESS)]


async def test_a_report_that_was_stored_leads_to_its_campaign() -> None:
    gateway = Gateway()

    def found(name: str, given: Any) -> Any:
        if gateway.stored:
            raise Problem("database-away")
        return campaign(campaign_id="launch.i4", owner=AGENCY.holder)

    async with browser(AGENCY, gateway=gateway, read_api=Documents(found)) as client:
        answer = await client.post("/campaigns/launch.i4/acknowledge", data={"csrf": CSRF, "by": "press-desk"})
    assert (answer.status_code, gateway.stored) == (303, 1)
    assert answer.headers["location"].startswith("/campaigns/launch.i4?report=ack.launch.i4")


@every("is_away", [True, False])
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
