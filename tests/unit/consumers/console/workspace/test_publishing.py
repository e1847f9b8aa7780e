"""Publishing by a form: lists grow, and while the gateway is away nothing is lost."""

from __future__ import annotations

import re

import orjson

from consumers.documents.document import documents_of
from consumers.documents.log.entries import Anomaly
from producers.gateway.answers import halted_of
from tests.page_rules import faults_of
from tests.world.consoles import FORM, TYPED, fill_in, hidden
from tests.world.pages import AGENCY, CSRF, Documents, Replies, browser, page


async def test_a_list_grows_and_shrinks_and_what_was_typed_stays() -> None:
    form, first = "/workspace/publish/project.registered", "data.phases.0"
    given = {"csrf": CSRF, "data.project_id": "P-KEPT", "data.phases.count": "1", f"{first}.phase": "1"}
    two = given | {"data.phases.count": "2", "data.phases.1.name.en": "Second", "do": "remove:data.phases:0"}
    async with browser(AGENCY, "en") as client:
        grown = (await client.post(form, data=given | {"do": "add:data.phases:1"})).text
        left = (await client.post(form, data=two)).text
    assert [text in grown for text in ('value="P-KEPT"', 'name="data.phases.1.phase"')] == [True, True]
    assert f'name="{first}.name.en" value="Second"' in left
    assert "data.phases.1" not in left


async def test_nothing_is_lost_while_the_gateway_is_away() -> None:
    async with browser(AGENCY, "en", read_api=Documents(lambda *_: [])) as client:
        overview = await client.get("/workspace")
        assert (overview.status_code, "The gateway does not answer now" in overview.text) == (200, True)
        page = (await client.post(FORM, data={**TYPED, "csrf": CSRF})).text
        assert "The gateway does not answer now" in page
        filled = await fill_in(client)
        answer = await client.post("/workspace/send", data=filled)
        assert (answer.status_code, "Nothing was stored" in answer.text) == (503, True)
        assert faults_of(answer.text) == []
        assert hidden(answer.text, "event") == filled["event"], "the same bytes can be sent again"
        assert orjson.loads(filled["event"])["data"]["name"]["en"] == 'Name "quoted" & <b>'
        office = '{"id": "a", "type": "sa.gov.yesser.plan.adopted.v1"}'
        for event, status in (("", 400), ("[]", 400), ('{"id": 1}', 400), ("x" * 70_000, 400), (office, 404)):
            given = {"csrf": CSRF, "event": event}
            assert (await client.post("/workspace/send", data=given)).status_code == status, "it is no event of theirs"


async def test_what_changed_nothing_is_not_shown_as_registered() -> None:
    row = {"found_index": 9, "rule": "already-launched", "type": "t", "subject": "service/S", "agency": "health"}
    found = documents_of(Anomaly, [row | {"index": 9, "claimed": {}, "known": {}}])
    verdicts = [{"state": "registered", "id": f"e-{index}", "index": index} for index in (8, 9)]
    latest = {"receipts": verdicts, "next": 2, "read_up_to": 2}
    gateway = Replies(lambda _, path: (200, latest if path.startswith("/v1/receipts") else {"status": "complete"}))
    read_api = Documents(lambda name, parameters: found if name == "anomalies_for" else [])
    shown = (await page(AGENCY, "/workspace", "en", read_api=read_api, gateway=gateway)).text
    rows = [re.sub("<[^>]*>", " ", line).split() for line in shown.splitlines() if 'href="/audit/entries/' in line]
    assert rows == [["e-9", "Anomaly", "9"], ["e-8", "Registered", "8"]]


async def test_a_halt_of_the_topic_is_said_in_the_reader_s_language_alone() -> None:
    halted = halted_of("the batch at offset 17 is damaged")
    latest = {"receipts": [], "next": 2, "read_up_to": 2, "halted": halted}
    pending = {"state": "pending", "address": "agency.health.events/0/1", "halted": halted}
    replies = {"/v1/receipts": latest, "/v1/completeness": {"status": "complete"}}
    gateway = Replies(lambda _, path: (200, replies.get(path.partition("?")[0], pending)))
    async with browser(AGENCY, "ar", read_api=Documents(lambda *_: []), gateway=gateway) as client:
        for path in ("/workspace", "/workspace/sent/e-1?address=agency.health.events/0/1"):
            shown = (await client.get(path)).text
            assert "ما ترسله يُخزَّن ويُسجَّل بعد الاستئناف" in shown
            assert "The topic is not read" not in shown
