"""The feed of due dates over HTTP and by command, on the real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from icalendar import Calendar

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.api.read_api import REGISTER, Window, read_window
from tests.world.commands import Yesser
from tests.world.mail import add_team
from tests.world.teams import launches, make_live, make_live_again

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
    connection = window.connection
    own = await window.get(FEED, "agency", "health")
    assert (own.status_code, own.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert uids(own.content) == UIDS
    other = await window.get(FEED, "agency", "labour")
    assert "initiative-announced.i5@log.yesser.example" in uids(other.content)
    assert not {*uids(other.content)} & {*UIDS}
    assert (await window.get("/v1/teams/radio/calendar.ics", "agency", "health")).status_code == 404
    assert (await window.get(FEED, "partner", "ACME")).status_code == 403
    assert (await window.get(FEED, "auditor", "court")).status_code == 403
    assert (await window.client.get(FEED)).status_code == 401
    for change, expected in (("rules = '{quota-met}'", []), ("ended_at = now()", UIDS)):
        await connection.execute(f"UPDATE delivery.subscription SET {change} WHERE agency = 'health'")
        assert uids((await window.get(FEED, "agency", "health")).content) == expected, change

    story, _ = launches()
    story.change("suspended", "S0")
    story.come_back()
    retired = story.change("retired", "S0")
    await make_live_again(connection, story)
    answer = await window.get(FEED, "agency", "health")
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (event["status"], event["sequence"]) == ("CANCELLED", retired), "a newer version of the event cancels it"


async def test_calendar_programs_read_it_by_a_secret_address_until_revoked(window: Window, yesser: Yesser) -> None:
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

    assert uids((await yesser.output("teams", "calendar", "health", "press")).encode()) == UIDS
    gateway = "https://gateway.example"
    command = ("teams", "calendar-address", "health", "press")
    assert "\u2068" not in await yesser.output(*command), "an invisible isolate would be copied with the address"
    given = await yesser.document(*command, YESSER_PUBLIC_ADDRESS=gateway)
    path = given["address"].removeprefix(gateway)
    assert path.startswith("/calendars/due.ics?feed=")
    printed = path.removeprefix("/calendars")
    assert await read(printed) == 200
    await yesser.output(*command, "--revoke")
    assert await read(printed) == 404

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

    secrets = [address.partition("feed=")[2] for address in (printed, first, second, third)]
    kept = await window.connection.fetch("SELECT * FROM delivery.calendar_feed")
    trail = await window.connection.fetch("SELECT * FROM platform.trail ORDER BY 1")
    ours = [row["command"] for row in trail if row["operator"] == "agency/health" and "calendar" in row["command"]]
    press = "teams calendar-address health/press"
    assert ours == [press, press, f"{press} --revoke", press]
    assert not any(secret in str(kept) + str(trail) for secret in secrets)
