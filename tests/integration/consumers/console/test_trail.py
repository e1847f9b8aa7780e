"""What is done in the console, and what is refused there, is in the trail with the account; and what it never holds."""

from __future__ import annotations

from typing import Any

import httpx
import orjson

from consumers.console.data.gateway import Gateway
from infra.http.console_tokens import Sending
from infra.postgres.connection import Connection
from infra.postgres.trail import trail_rows
from infra.settings import Settings
from tests.integration.consumers.api.read_api import lay_down
from tests.integration.consumers.api.read_story import story
from tests.integration.consumers.delivery.teams.desk import TEAM
from tests.world.consoles import (
    TYPED,
    add_account,
    change_password,
    console,
    fill_in,
    run_console,
    sign_in,
    write_console_key,
)
from tests.world.senders import now, run_gateway

WRONG = "a wrong password of the tests"


async def done(connection: Connection, **given: Any) -> list[tuple[Any, Any]]:
    return [(row["account"], row["command"]) async for row in trail_rows(connection, **given)]


async def test_what_is_refused_or_downloaded_is_written_not_typed(settings: Settings, connection: Connection) -> None:
    await lay_down(connection, story())
    await add_account(connection, "desk", "office")
    await add_account(connection, "health", "agency", "health")
    async with console(settings) as served:
        async with served.signed_in("desk") as client:
            names = ("desk", "my-secret-word", "1000000008")
            assert [await sign_in(client, name, WRONG) for name in names] == [401] * 3
            await change_password(client, WRONG, WRONG)
        assert await done(connection) == [
            ("desk", "sign in"),
            ("desk", "sign in refused"),
            (None, "sign in refused"),
            (None, "sign in refused"),
            ("desk", "change password refused"),
        ]
        everything = str([row async for row in trail_rows(connection)])
        assert not any(text in everything for text in (WRONG, "secret-word", "1000000008"))

        async with served.signed_in("desk") as client:
            downloads = await downloaded(client)
        assert (await done(connection))[5:] == [("desk", "sign in"), *(("desk", text) for text in downloads)]

        async with served.signed_in("health") as client:
            assert (await client.get("/operations/accounts?of=somebody")).status_code == 403
            assert (await client.get("/audit/entries/7x")).status_code != 403
            refused = ("health", "refused GET /operations/accounts")
            assert (await done(connection))[8:] == [("health", "sign in"), refused], "by its pattern"
            for _ in range(30):
                await client.get("/operations")
            assert len(await done(connection)) < 8 + 25, "not without end"
            client.cookies.clear()
            assert (await client.get("/operations")).status_code == 303
            written = await done(connection)
            assert {account for account, _ in written[8:]} == {"health"}
            answers = [await sign_in(client, "health", WRONG) for _ in range(16)]
        assert answers[-1] == 429
        assert len(await done(connection)) - len(written) == answers.count(401) < 16


async def downloaded(client: httpx.AsyncClient) -> list[str]:
    """What the trail has to say of two files."""
    answer = await client.get("/plan/partnerships.csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert (await client.get("/plan")).status_code == 200
    partnership_id = (await client.get("/v1/partnerships")).json()[0]["partnership_id"]
    path = f"/v1/partnerships/{partnership_id}/statements"
    period = (await client.get(path)).json()[0]["period"]
    assert (await client.get(f"{path}/{period}", headers={"accept": "text/csv"})).status_code == 200
    return ["download /plan/{table}.csv partnerships.csv", f"download /v1 {partnership_id}-{period}.csv"]


async def test_an_event_and_a_change_lead_to_their_account(settings: Settings, connection: Connection) -> None:
    write_console_key(settings)
    async with run_gateway(settings, connection) as gateway:
        address = f"http://127.0.0.1:{gateway.gateway.port}"
        async with (
            run_console(settings, connection, console_gateway=address) as running,
            running.browser("health") as browser,
        ):
            filled = await fill_in(browser)
            sent = await browser.post("/workspace/send", data=filled, follow_redirects=True)
            assert "The event has arrived and waits for registration" in sent.text, "no registrar reads the topic here"
            csrf, line = filled["csrf"], orjson.dumps({**orjson.loads(filled["event"]), "id": "from-a-file"})
            upload = {"file": ("a.ndjson", line + b"\n")}
            at = (await browser.post("/workspace/files", data={"csrf": csrf}, files=upload)).headers["location"]
            assert (await browser.post(f"{at}/send", data={"csrf": csrf})).status_code == 303
        published = [("health", "publish awareness.initiative-announced")]
        assert await done(connection, event_id=TYPED["id"]) == published
        assert await done(connection, event_id="from-a-file") == [("health", "upload 1")]
        assert await done(connection, event_id="another") == []

        changed = settings.model_copy(update={"console_gateway": address}).acting_as("console")
        own = Gateway(changed, now)
        reply = await own.ask(Sending("health", "agency", "health"), "POST", "/v1/teams", content=orjson.dumps(TEAM))
        await own.close()
    assert reply.status == 201, reply.document
    row = [row async for row in trail_rows(connection)][-1]
    assert (row["role"], row["account"], row["operator"]) == ("yesser_gateway", "health", "agency/health")
    assert row["command"] == "teams add health/press"
