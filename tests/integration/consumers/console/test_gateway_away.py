"""What somebody publishes while the gateway goes away in the middle."""

from __future__ import annotations

import orjson

from infra.postgres.connection import Connection
from infra.postgres.trail import trail_rows
from infra.settings import Settings
from tests.world.consoles import TYPED, deaf_gateway, fill_in, hidden, run_console


async def test_an_unknown_outcome_is_said_the_same_bytes_are_offered_and_the_trail_names_the_account(
    settings: Settings, connection: Connection
) -> None:
    async with (
        deaf_gateway() as address,
        run_console(settings, connection, console_gateway=address) as console,
        console.browser("health") as browser,
    ):
        filled = await fill_in(browser)
        for id_ in (TYPED["id"], "1000000008"):
            event = orjson.dumps({**orjson.loads(filled["event"]), "id": id_}).decode()
            answer = await browser.post("/workspace/send", data={**filled, "event": event})
            assert answer.status_code == 504
            assert "It is not known whether the event arrived" in answer.text
            assert hidden(answer.text, "event") == event
        sent = await browser.get("/workspace/sent/form-1?address=agency.health.events/0/5")
        assert sent.status_code == 200
        assert "The event has arrived, and the gateway does not answer now" in sent.text
    rows = [row async for row in trail_rows(connection)]
    unknown = ("health", "publish awareness.initiative-announced unknown")
    assert [(row["account"], row["command"]) for row in rows] == [("health", "sign in"), unknown, unknown]
    assert "1000000008" not in str(rows)
    assert [row async for row in trail_rows(connection, event_id=TYPED["id"])] == rows[1:2]
