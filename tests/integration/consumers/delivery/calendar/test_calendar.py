"""The feed of due dates over HTTP and by command, on the real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import pytest
from click.testing import CliRunner
from icalendar import Calendar

from consumers.delivery.calendar.addresses import new_address, revoke_address
from consumers.delivery.calendar.commands import calendar, calendar_address
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.integration.consumers.delivery.mail.mail_server import add_team, lay_down
from tests.integration.consumers.read_api.read_api import REGISTER, read_window
from tests.unit.consumers.campaigns.story import Story

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


async def test_a_calendar_program_reads_it_under_a_secret_address_until_it_is_revoked(
    settings: Settings, connection: Connection
) -> None:
    await prepare(connection)
    async with (
        connected(settings.acting_as("administrator"), "test") as administrator,
        read_window(settings, connection) as window,
    ):
        first = await new_address(administrator, "health", "press")
        assert uids((await window.client.get(first)).content) == UIDS
        second = await new_address(administrator, "health", "press")
        assert (await window.client.get(first)).status_code == 404
        assert uids((await window.client.get(second)).content) == UIDS
        for wrong in (f"{second[:-1]}{'A' if second[-1] != 'A' else 'B'}", "/calendars/due.ics?feed=" + "A" * 43):
            assert (await window.client.get(wrong)).status_code == 404
        assert (await window.client.get("/calendars/due.ics?feed=short")).status_code == 422
        await revoke_address(administrator, "health", "press")
        assert (await window.client.get(second)).status_code == 404

        third = await new_address(administrator, "health", "press")
        await connection.execute("UPDATE delivery.team SET closed_at = now() WHERE agency = 'health'")
        assert (await window.client.get(third)).status_code == 404

    secrets = [address.partition("feed=")[2] for address in (first, second, third)]
    kept = await connection.fetch("SELECT * FROM delivery.calendar_feed")
    trail = await connection.fetch("SELECT * FROM platform.trail")
    assert len(trail) == 4
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
    printed = await asyncio.to_thread(runner.invoke, calendar, ["health", "press"], catch_exceptions=False)
    assert uids(printed.stdout_bytes) == UIDS
    made = await asyncio.to_thread(
        runner.invoke, calendar_address, ["health", "press", "--json"], catch_exceptions=False
    )
    address = orjson.loads(made.stdout_bytes)["address"]
    assert address.startswith("https://gateway.example/calendars/due.ics?feed=")
    async with read_window(settings, connection) as window:
        path = address.removeprefix("https://gateway.example")
        assert uids((await window.client.get(path)).content) == UIDS
        gone = await asyncio.to_thread(runner.invoke, calendar_address, ["health", "press", "--revoke"])
        assert gone.exit_code == 0
        assert (await window.client.get(path)).status_code == 404
