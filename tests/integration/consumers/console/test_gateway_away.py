"""What somebody publishes while the gateway is away, or goes away in the middle."""

from __future__ import annotations

import orjson

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.read_api.read_api import lay_down
from tests.integration.consumers.read_api.read_story import story
from tests.page_rules import faults_of
from tests.world.consoles import FORM, TYPED, csrf_of, deaf_gateway, fill_in, hidden, run_console, write_console_key
from tests.world.senders import run_gateway


async def test_nothing_is_lost_while_the_gateway_is_away(settings: Settings, connection: Connection) -> None:
    await lay_down(connection, story())
    async with run_console(settings, connection) as console, console.browser("health") as browser:
        overview = await browser.get("/workspace")
        assert overview.status_code == 200
        assert "The gateway does not answer now" in overview.text
        filled = await fill_in(browser)
        page = (await browser.post(FORM, data={**TYPED, "csrf": filled["csrf"]})).text
        assert "The gateway does not answer now" in page
        answer = await browser.post("/workspace/send", data=filled)
        assert answer.status_code == 503
        assert "Nothing was stored" in answer.text
        assert faults_of(answer.text) == []
        assert hidden(answer.text, "event") == filled["event"], "the same bytes can be sent again"
        assert orjson.loads(filled["event"])["data"]["name"]["en"] == 'Name "quoted" & <b>'


async def test_an_unknown_outcome_is_said_and_the_same_bytes_are_offered(
    settings: Settings, connection: Connection
) -> None:
    async with deaf_gateway() as address:
        changes = {"console_gateway": address}
        async with run_console(settings, connection, **changes) as console, console.browser("health") as browser:
            filled = await fill_in(browser)
            answer = await browser.post("/workspace/send", data=filled)
            assert answer.status_code == 504
            assert "It is not known whether the event arrived" in answer.text
            assert hidden(answer.text, "event") == filled["event"]
            sent = await browser.get("/workspace/sent/form-1?address=agency.health.events/0/5")
            assert sent.status_code == 200
            assert "The event has arrived, and the gateway does not answer now" in sent.text


async def test_what_waits_for_its_verdict_is_said(settings: Settings, connection: Connection) -> None:
    """No registrar reads the topic here."""
    write_console_key(settings)
    async with run_gateway(settings, connection) as gateway:
        changes = {"console_gateway": f"http://127.0.0.1:{gateway.gateway.port}"}
        async with run_console(settings, connection, **changes) as console, console.browser("health") as browser:
            filled = await fill_in(browser)
            answer = await browser.post("/workspace/send", data=filled, follow_redirects=True)
            assert answer.status_code == 200
            assert "The event has arrived and waits for registration" in answer.text


async def test_what_is_not_an_event_is_not_sent(settings: Settings, connection: Connection) -> None:
    async with run_console(settings, connection) as console, console.browser("health") as browser:
        csrf = await csrf_of(browser)
        for event, status in (("", 400), ("[]", 400), ('{"id": 1}', 400), ("x" * 70_000, 400)):
            assert (await browser.post("/workspace/send", data={"csrf": csrf, "event": event})).status_code == status
        office = '{"id": "a", "type": "sa.gov.yesser.plan.adopted.v1"}'
        assert (await browser.post("/workspace/send", data={"csrf": csrf, "event": office})).status_code == 404
