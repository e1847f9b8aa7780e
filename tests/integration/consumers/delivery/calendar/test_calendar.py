"""The feed of due dates over HTTP and by command, on the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import orjson
import pytest
from click.testing import CliRunner
from icalendar import Calendar

from consumers.delivery.teams.team_commands import teams
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.read_api.read_api import REGISTER, Window, read_window
from tests.world.mail import add_team
from tests.world.teams import launches, make_live

FEED = "/v1/teams/press/calendar.ics"
UIDS = ["service-launched.i3@log.yesser.example"]


def uids(content: bytes) -> list[str]:
    """The ids of a feed's events."""
    return [str(event["uid"]) for event in Calendar.from_ical(content).walk("VEVENT")]


@pytest.fixture
async def window(settings: Settings, connection: Connection) -> AsyncIterator[Window]:
    """A campaign of health and one of labour, and a team of each with the same name."""
    story, _ = launches()
    story.announce("I", agency="labour")
    story.come_back()
    await make_live(connection, story)
    for agency in ("health", "labour"):
        await connection.execute(REGISTER, agency, "agency")
        await add_team(connection, f"press@{agency}.example", agency=agency)
    async with read_window(settings, connection) as opened:
        yield opened


async def test_an_agency_reads_what_its_own_teams_have_subscribed_to(window: Window) -> None:
    own = await window.get(FEED, "agency", "health")
    assert (own.status_code, own.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert uids(own.content) == UIDS
    other = await window.get(FEED, "agency", "labour")
    assert uids(other.content) == ["initiative-announced.i5@log.yesser.example"]
    assert (await window.get("/v1/teams/radio/calendar.ics", "agency", "health")).status_code == 404
    assert (await window.get(FEED, "partner", "ACME")).status_code == 403
    assert (await window.get(FEED, "auditor", "court")).status_code == 403
    assert (await window.client.get(FEED)).status_code == 401
    for change, expected in (("rules = '{quota-met}'", []), ("ended_at = now()", UIDS)):
        await window.connection.execute(f"UPDATE delivery.subscription SET {change} WHERE agency = 'health'")
        assert uids((await window.get(FEED, "agency", "health")).content) == expected, change


async def test_a_retired_service_is_a_newer_version_of_the_event_that_cancels_it(
    settings: Settings, connection: Connection
) -> None:
    story, _ = launches()
    story.change("suspended", "S0")
    story.come_back()
    paused = len(story.entries) - 1
    retired = story.change("retired", "S0")
    await make_live(connection, story)
    await connection.execute(REGISTER, "health", "agency")
    await add_team(connection, "press@health.example")
    async with read_window(settings, connection) as window:
        answer = await window.get(FEED, "agency", "health")
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (event["status"], event["sequence"]) == ("CANCELLED", retired)
    assert retired > paused


async def test_a_calendar_program_reads_it_under_a_secret_address_until_it_is_revoked(window: Window) -> None:
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
    await window.connection.execute("UPDATE delivery.team SET closed_at = NULL WHERE agency = 'health'")
    assert await read(third) == 404

    secrets = [address.partition("feed=")[2] for address in (first, second, third)]
    kept = await window.connection.fetch("SELECT * FROM delivery.calendar_feed")
    trail = [row["command"] for row in await window.connection.fetch("SELECT * FROM platform.trail ORDER BY 1")]
    press = "teams calendar-address health/press"
    assert [command for command in trail if "calendar" in command] == [press, press, f"{press} --revoke", press]
    assert not any(secret in str(kept) + str(trail) for secret in secrets)


async def test_the_commands_print_the_feed_and_its_address(
    window: Window, environment: Callable[..., dict[str, str]]
) -> None:
    async def run(*words: str) -> bytes:
        given = environment(YESSER_PUBLIC_ADDRESS="https://gateway.example")
        result = await asyncio.to_thread(CliRunner().invoke, teams, words, env=given, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout_bytes

    assert uids(await run("calendar", "health", "press")) == UIDS
    address = orjson.loads(await run("calendar-address", "health", "press", "--json"))["address"]
    assert address.startswith("https://gateway.example/calendars/due.ics?feed=")
    path = address.removeprefix("https://gateway.example")
    assert uids((await window.client.get(path)).content) == UIDS
    await run("calendar-address", "health", "press", "--revoke")
    assert (await window.client.get(path)).status_code == 404
