"""The feed of due dates over HTTP and by command, on the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import pytest
from click.testing import CliRunner
from icalendar import Calendar

from consumers.delivery.teams.team_commands import teams
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.read_api.read_api import REGISTER, read_window
from tests.unit.consumers.delivery.mail.mail_server import add_team, lay_down
from tests.world.story import Story

UIDS = ["service-launched.i3@log.yesser.example"]


def uids(content: bytes) -> list[str]:
    """The ids of a feed's events."""
    return [str(event["uid"]) for event in Calendar.from_ical(content).walk("VEVENT")]


async def prepare(connection: Connection) -> None:
    """A campaign of health and one of labour, and a team of each with the same name."""
    story = Story()
    story.register("S")
    story.launch("S")
    story.come_back()
    story.announce("I", agency="labour")
    story.come_back()
    await lay_down(connection, story)
    for agency in ("health", "labour"):
        await connection.execute(REGISTER, agency, "agency")
        await add_team(connection, f"press@{agency}.example", agency=agency)


async def test_an_agency_reads_the_calendar_of_its_own_teams(settings: Settings, connection: Connection) -> None:
    await prepare(connection)
    async with read_window(settings, connection) as window:
        own = await window.get("/v1/teams/press/calendar.ics", "agency", "health")
        assert own.status_code == 200
        assert own.headers["content-type"] == "text/calendar; charset=utf-8"
        assert uids(own.content) == UIDS
        other = await window.get("/v1/teams/press/calendar.ics", "agency", "labour")
        assert uids(other.content) == ["initiative-announced.i5@log.yesser.example"]
        assert (await window.get("/v1/teams/radio/calendar.ics", "agency", "health")).status_code == 404
        assert (await window.get("/v1/teams/press/calendar.ics", "partner", "ACME")).status_code == 403
        assert (await window.get("/v1/teams/press/calendar.ics", "auditor", "court")).status_code == 403
        assert (await window.client.get("/v1/teams/press/calendar.ics")).status_code == 401


async def test_a_retired_service_is_a_newer_version_of_the_event_that_cancels_it(
    settings: Settings, connection: Connection
) -> None:
    story = Story()
    story.register("S")
    story.launch("S")
    story.come_back()
    story.change("suspended", "S")
    story.come_back()
    paused = len(story.entries) - 1
    retired = story.change("retired", "S")
    await lay_down(connection, story)
    await connection.execute(REGISTER, "health", "agency")
    await add_team(connection, "press@health.example")
    async with read_window(settings, connection) as window:
        answer = await window.get("/v1/teams/press/calendar.ics", "agency", "health")
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (event["status"], event["sequence"]) == ("CANCELLED", retired)
    assert retired > paused


async def test_a_calendar_program_reads_it_under_a_secret_address_until_it_is_revoked(
    settings: Settings, connection: Connection
) -> None:
    await prepare(connection)
    async with read_window(settings, connection) as window:
        await window.get("/v1/teams", "agency", "health")
        token = {"authorization": f"Bearer {window.tokens['agency', 'health']}"}

        async def new() -> str:
            made = await window.client.post("/v1/teams/press/calendar-address", headers=token)
            assert made.status_code == 201, made.text
            return str(made.json()["address"]).partition("/calendars")[2]

        async def read(address: str) -> int:
            answer = await window.client.get(f"/calendars{address}")
            assert answer.status_code != 200 or uids(answer.content) == UIDS
            return answer.status_code

        first = await new()
        assert await read(first) == 200
        second = await new()
        assert [await read(first), await read(second)] == [404, 200]
        wrong = f"{second[:-1]}{'A' if second[-1] != 'A' else 'B'}"
        assert [await read(wrong), await read("/due.ics?feed=short"), await read("/due.ics")] == [404, 422, 422]
        assert (await window.client.delete("/v1/teams/press/calendar-address", headers=token)).status_code == 204
        assert await read(second) == 404
        assert (await window.client.post("/v1/teams/radio/calendar-address", headers=token)).status_code == 404

        third = await new()
        assert (await window.client.delete("/v1/teams/press", headers=token)).status_code == 204
        await connection.execute("UPDATE delivery.team SET closed_at = NULL WHERE agency = 'health'")
        assert await read(third) == 404

    secrets = [address.partition("feed=")[2] for address in (first, second, third)]
    kept = await connection.fetch("SELECT * FROM delivery.calendar_feed")
    trail = [row["command"] for row in await connection.fetch("SELECT * FROM platform.trail ORDER BY 1")]
    press = "teams calendar-address health/press"
    assert [command for command in trail if "calendar" in command] == [press, press, f"{press} --revoke", press]
    assert not any(secret in str(kept) + str(trail) for secret in secrets)


async def test_the_feed_follows_the_subscriptions_of_the_team(settings: Settings, connection: Connection) -> None:
    await prepare(connection)
    async with read_window(settings, connection) as window:
        await connection.execute("UPDATE delivery.subscription SET rules = '{quota-met}' WHERE agency = 'health'")
        assert uids((await window.get("/v1/teams/press/calendar.ics", "agency", "health")).content) == []
        await connection.execute("UPDATE delivery.subscription SET ended_at = now() WHERE agency = 'health'")
        assert uids((await window.get("/v1/teams/press/calendar.ics", "agency", "health")).content) == UIDS


async def test_the_commands_print_the_feed_and_its_address(
    settings: Settings,
    connection: Connection,
    environment: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await prepare(connection)
    for name, value in environment(YESSER_PUBLIC_ADDRESS="https://gateway.example").items():
        monkeypatch.setenv(name, value)
    runner = CliRunner()
    printed = await asyncio.to_thread(runner.invoke, teams, ["calendar", "health", "press"], catch_exceptions=False)
    assert uids(printed.stdout_bytes) == UIDS
    made = await asyncio.to_thread(
        runner.invoke, teams, ["calendar-address", "health", "press", "--json"], catch_exceptions=False
    )
    address = orjson.loads(made.stdout_bytes)["address"]
    assert address.startswith("https://gateway.example/calendars/due.ics?feed=")
    async with read_window(settings, connection) as window:
        path = address.removeprefix("https://gateway.example")
        assert uids((await window.client.get(path)).content) == UIDS
        gone = await asyncio.to_thread(runner.invoke, teams, ["calendar-address", "health", "press", "--revoke"])
        assert gone.exit_code == 0
        assert (await window.client.get(path)).status_code == 404
