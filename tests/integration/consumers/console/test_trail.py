"""What is done in the console, and what is refused there, is in the trail with the account; and what it never holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from consumers.console.data.gateway import Gateway
from infra.http.console_tokens import Sending
from infra.postgres.connection import Connection
from infra.postgres.trail import trail_rows
from infra.settings import Settings
from tests.integration.consumers.delivery.teams.desk import TEAM
from tests.integration.consumers.read_api.read_api import lay_down
from tests.integration.consumers.read_api.read_story import story
from tests.world.consoles import (
    TYPED,
    add_account,
    change_password,
    console,
    deaf_gateway,
    fill_in,
    run_console,
    sign_in,
    write_console_key,
)
from tests.world.senders import run_gateway

WRONG = "a wrong password of the tests"


async def done(connection: Connection, **given: Any) -> list[tuple[Any, Any]]:
    return [(row["account"], row["command"]) async for row in trail_rows(connection, **given)]


async def test_a_failed_sign_in_names_an_account_that_exists_and_nothing_that_was_typed(
    settings: Settings, connection: Connection
) -> None:
    await add_account(connection, "desk", "office")
    async with console(settings) as served, served.signed_in("desk") as client:
        assert [await sign_in(client, name, WRONG) for name in ("desk", "my-secret-word", "1000000008")] == [401] * 3
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


async def test_sign_ins_that_are_not_tried_any_more_are_not_written(settings: Settings, connection: Connection) -> None:
    await add_account(connection, "desk", "office")
    async with console(settings) as served, served.signed_in("desk") as client:
        client.cookies.clear()
        answers = [await sign_in(client, "desk", WRONG) for _ in range(16)]
    assert answers[-1] == 429
    written = [command for _, command in await done(connection)].count("sign in refused")
    assert written == answers.count(401) < 16


async def test_a_page_that_is_refused_is_written_by_its_pattern_and_not_without_end(
    settings: Settings, connection: Connection
) -> None:
    await add_account(connection, "health", "agency", "health")
    async with console(settings) as served, served.signed_in("health") as client:
        assert (await client.get("/operations/accounts?of=somebody")).status_code == 403
        assert (await client.get("/audit/entries/7x")).status_code != 403
        refused = [("health", "refused GET /operations/accounts")]
        assert await done(connection) == [("health", "sign in"), *refused]
        for _ in range(30):
            await client.get("/operations")
        assert len(await done(connection)) < 25
        client.cookies.clear()
        assert (await client.get("/operations")).status_code == 303
    assert {account for account, _ in await done(connection)} == {"health"}


async def test_downloads_are_written_before_they_are_sent(settings: Settings, connection: Connection) -> None:
    await lay_down(connection, story())
    await add_account(connection, "desk", "office")
    async with console(settings) as served, served.signed_in("desk") as client:
        answer = await client.get("/plan/partnerships.csv")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
        assert (await client.get("/plan")).status_code == 200
        rows = (await client.get("/v1/partnerships")).json()
        path = f"/v1/partnerships/{rows[0]['partnership_id']}/statements"
        period = (await client.get(path)).json()[0]["period"]
        assert (await client.get(f"{path}/{period}", headers={"accept": "text/csv"})).status_code == 200
    name = f"{rows[0]['partnership_id']}-{period}.csv"
    assert await done(connection) == [
        ("desk", "sign in"),
        ("desk", "download /plan/{table}.csv partnerships.csv"),
        ("desk", f"download /v1 {name}"),
    ]


async def test_an_event_leads_to_the_account_that_sent_it(settings: Settings, connection: Connection) -> None:
    write_console_key(settings)
    async with run_gateway(settings, connection) as gateway:
        address = f"http://127.0.0.1:{gateway.gateway.port}"
        async with (
            run_console(settings, connection, console_gateway=address) as running,
            running.browser("health") as browser,
        ):
            filled = await fill_in(browser)
            assert (await browser.post("/workspace/send", data=filled)).status_code == 303
            csrf, line = filled["csrf"], orjson.dumps({**orjson.loads(filled["event"]), "id": "from-a-file"})
            upload = {"file": ("a.ndjson", line + b"\n")}
            at = (await browser.post("/workspace/files", data={"csrf": csrf}, files=upload)).headers["location"]
            assert (await browser.post(f"{at}/send", data={"csrf": csrf})).status_code == 303
        published = [("health", "publish awareness.initiative-announced")]
        assert await done(connection, event_id=TYPED["id"]) == published
        assert await done(connection, event_id="from-a-file") == [("health", "upload 1")]
        assert await done(connection, event_id="another") == []


async def test_an_event_of_an_unknown_outcome_leads_to_its_account_too(
    settings: Settings, connection: Connection
) -> None:
    async with (
        deaf_gateway() as address,
        run_console(settings, connection, console_gateway=address) as running,
        running.browser("health") as browser,
    ):
        filled = await fill_in(browser)
        for id_ in (TYPED["id"], "1000000008"):
            given = {**filled, "event": orjson.dumps({**orjson.loads(filled["event"]), "id": id_}).decode()}
            assert (await browser.post("/workspace/send", data=given)).status_code == 504
    unknown = ("health", "publish awareness.initiative-announced unknown")
    assert await done(connection, event_id=TYPED["id"]) == [unknown]
    assert await done(connection) == [("health", "sign in"), unknown, unknown]
    assert "1000000008" not in str([row async for row in trail_rows(connection)])


async def test_a_change_that_the_console_asks_of_the_gateway_has_the_account(
    settings: Settings, connection: Connection
) -> None:
    write_console_key(settings)
    await add_account(connection, "desk", "agency", "health")
    async with run_gateway(settings, connection) as running:
        address = f"http://127.0.0.1:{running.gateway.port}"
        changed = settings.model_copy(update={"console_gateway": address}).acting_as("console")
        gateway = Gateway(changed, lambda: datetime.now(UTC))
        sending = Sending("desk", "agency", "health")
        reply = await gateway.ask(sending, "POST", "/v1/teams", content=orjson.dumps(TEAM))
        await gateway.close()
    assert reply.status == 201, reply.document
    rows = [(row["role"], row["account"], row["operator"], row["command"]) async for row in trail_rows(connection)]
    assert rows[1:] == [("yesser_gateway", "desk", "agency/health", "teams add health/press")]
