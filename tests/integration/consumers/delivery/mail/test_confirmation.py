"""E-mails go to confirmed addresses and to those of the agency's domains, and each says how to stop."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from consumers.delivery.delivery import delete_recipients
from consumers.delivery.mail.timed import AGENCY_LETTERS_A_DAY, TEAM_LETTERS_A_DAY, ask
from consumers.delivery.sending.messages import count_attempts
from infra.postgres.connection import Connection
from infra.postgres.sql import read
from infra.settings import Settings
from tests.every import every
from tests.integration.consumers.api.read_api import REGISTER, Window, read_window
from tests.team_seals import seal_rows
from tests.world.mail import FIRST, SECOND, Desk, add_team, desk, mail_server, put_contacts, text_of
from tests.world.teams import live_launches

ASKS = "confirm-address"


@asynccontextmanager
async def office(settings: Settings, connection: Connection, *contacts: str) -> AsyncIterator[Desk]:
    """A team whose addresses nobody has confirmed."""
    await live_launches(connection)
    await connection.execute(REGISTER, "health", "agency")
    await add_team(connection, *contacts, domain=None)
    now = await connection.fetchval("SELECT clock_timestamp()")
    async with mail_server() as mails, desk(settings, connection, mails, now) as opened:
        yield opened


@pytest.fixture
async def press(settings: Settings, connection: Connection) -> AsyncIterator[Desk]:
    """A team with one address."""
    async with office(settings, connection, FIRST) as opened:
        yield opened


async def asked(press: Desk) -> None:
    """One round of letters that ask, and all that waits is sent. What the test wrote meanwhile is sealed."""
    await seal_rows(press.superuser)
    await ask(press.own, press.epoch, press.now)
    await press.send()


async def trigger(press: Desk, event_id: str = "e", **more: Any) -> None:
    await seal_rows(press.superuser)
    await press.put("triggered", event_id, campaign_id="service-launched.i3", log_index=4, lane=event_id, **more)
    await press.send()


def link_of(message: EmailMessage, action: str) -> str:
    """The path of a link in a letter."""
    found = re.search(rf"https://gateway\.example(/mail/{action}\?token=[\w-]+)", text_of(message))
    assert found is not None, text_of(message)
    return found[1]


async def post(window: Window, path: str) -> int:
    return (await window.client.post(path)).status_code


async def recipient(connection: Connection) -> Any:
    return await connection.fetchrow("SELECT * FROM delivery.recipient ORDER BY recipient_id LIMIT 1")


async def test_an_unconfirmed_address_gets_one_letter_that_asks(settings: Settings, connection: Connection) -> None:
    async with office(settings, connection, FIRST, SECOND) as press:
        await trigger(press)
        assert press.mails.received == []
        assert await press.states() == [("triggered", "failed", 1)]
        assert await press.errors() == [(None, "unconfirmed")]
        for _ in range(3):
            await asked(press)
            press.now += timedelta(days=2)
        assert sorted(event for _, event in press.mails.kinds) == ["confirm.1.1", "confirm.2.1"]
        letter = next(message for message in press.mails.messages if message["To"] == SECOND)
        # A stranger gets no text that an agency wrote.
        assert "Press desk" not in letter.as_string() + text_of(letter)
        assert "health/press" in text_of(letter)
        assert SECOND not in text_of(letter)

        path, confirmed = link_of(letter, "confirm"), "SELECT max(confirmed_at) FROM delivery.recipient"
        assert not {"press", "health", SECOND}.intersection(re.split(r"\W", path))
        async with read_window(settings, connection) as window:
            for _ in range(2):  # a mail scanner
                page = await window.client.get(path)
                assert page.status_code == 200
                assert "health/press" in page.text
                assert SECOND not in page.text
                assert page.headers["cache-control"] == "no-store"
                assert page.headers["referrer-policy"] == "no-referrer"
            assert await connection.fetchval(confirmed) is None
            assert await post(window, path) == 200
            first = await connection.fetchval(confirmed)
            assert await post(window, path) == 200
            assert await connection.fetchval(confirmed) == first is not None

        await trigger(press, "e2")
        await press.put("escalated", "up", campaign_id="service-launched.i3", log_index=4)
        await press.put("digest", "digest.2026-11-01", subscription_id=None, lane="digest")
        await asked(press)
        assert press.mails.kinds[2:] == [(SECOND, "e2"), (SECOND, "up"), (SECOND, "digest.2026-11-01")]


@every(
    "address, is_own",
    [
        ("press@health.example", True),
        ("Press@Health.Example", True),
        ("press@sub.health.example", False),
        ("press@nothealth.example", False),
        ("press@health.example.evil.example", False),
        ("health.example@evil.example", False),
        ("press@xn--hlth-5na.example", False),
        ("press@health.example.", False),
    ],
)
async def test_only_the_registered_domain_itself_needs_no_confirmation(press: Desk, address: str, is_own: bool) -> None:
    await press.superuser.execute(
        "INSERT INTO delivery.agency_domain VALUES ('health', 'health.example'), ('labour', 'evil.example')"
        " ON CONFLICT DO NOTHING"
    )
    await put_contacts(press.superuser, address)
    press.now, before = await press.superuser.fetchval("SELECT clock_timestamp()"), len(press.mails.received)
    await trigger(press, address)
    assert len(press.mails.received) - before == is_own
    await asked(press)
    asks = [event for _, event in press.mails.kinds[before:] if event.startswith("confirm.")]
    assert asks == [] if is_own else len(asks) <= 1


async def test_an_address_is_asked_once_a_day_and_no_more_than_three_times_a_month(press: Desk) -> None:
    for day in range(31):
        for agency, team in (("health", "press"), ("health", "radio"), ("labour", "press")):
            address = FIRST.upper() if day % 2 else FIRST
            await put_contacts(press.superuser, address, agency=agency, team=team, at=press.now)
        for _ in range(2):
            await asked(press)
            press.now += timedelta(hours=1)
        assert len(press.mails.received) <= day + 1
        if day == 29:
            assert len(press.mails.received) == 9, "three for each team"
        press.now += timedelta(hours=22)


async def test_a_team_and_an_agency_send_a_few_letters_a_day_to_strangers(
    settings: Settings, connection: Connection
) -> None:
    async with office(settings, connection) as press:
        for team in range(4):
            for again in range(2):  # other addresses in the place of those that were asked
                addresses = [f"a{rank}-{again}@{team}.example" for rank in range(1, 10)]
                await put_contacts(connection, *addresses, team=f"t{team}")
                await asked(press)
            assert len(press.mails.received) == min((team + 1) * TEAM_LETTERS_A_DAY, AGENCY_LETTERS_A_DAY)
        assert len(press.mails.received) == AGENCY_LETTERS_A_DAY
        press.now += timedelta(days=1, seconds=1)
        await asked(press)
        assert len(press.mails.received) > AGENCY_LETTERS_A_DAY


async def test_a_reader_stops_the_letters_by_one_click_and_may_have_them_again(press: Desk) -> None:
    await press.superuser.execute("INSERT INTO delivery.agency_domain VALUES ('health', 'health.example')")
    await trigger(press)
    (letter,) = press.mails.messages
    path = link_of(letter, "stop")
    assert letter["List-Unsubscribe"] == f"<https://gateway.example{path}>"
    async with read_window(press.settings, press.superuser) as window:
        assert (await window.client.get(path)).status_code == 200
        assert (await recipient(press.superuser))["stopped_at"] is None
        # As a mail program posts it (RFC 8058): no cookie, no page before it, no redirect after it.
        answer = await window.client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.history) == (200, [])
        await trigger(press, "e2")
        assert len(press.mails.received) == 1
        assert (await press.errors())[-1] == (None, "stopped")

        resume = path.replace("/stop?", "/resume?")
        assert (await window.client.get(resume)).status_code == 200
        await trigger(press, "e3")
        assert len(press.mails.received) == 1
        assert await post(window, resume) == 200
    await trigger(press, "e4")
    assert [event for _, event in press.mails.kinds] == ["e", "e4"]


async def test_a_link_does_one_thing_and_who_stops_letters_gets_none_for_good(press: Desk) -> None:
    await asked(press)
    (letter,) = press.mails.messages
    confirm, stop = (link_of(letter, action) for action in ("confirm", "stop"))
    async with read_window(press.settings, press.superuser) as window:
        wrong = f"{confirm[:-2]}{'AA' if confirm[-2:] != 'AA' else 'BB'}"
        crossed = [stop.replace("/stop?", "/confirm?"), confirm.replace("/confirm?", "/stop?")]
        for path in (wrong, *crossed, confirm.replace("/confirm?", "/resume?")):
            assert (await window.client.get(path)).status_code == 404, path
            assert await post(window, path) == 404, path
        assert await post(window, "/mail/confirm") == 422
        assert await post(window, confirm.replace("/confirm?", "/erase?")) == 422
        assert await post(window, stop.replace("/stop?", "/resume?")) == 200
        row = await recipient(press.superuser)
        assert (row["confirmed_at"], row["stopped_at"]) == (None, None), "to resume is not to confirm"
        await press.superuser.execute("UPDATE delivery.mail_link SET expires_at = now() WHERE action = 'confirm'")
        assert await post(window, confirm) == 404
        assert await post(window, stop) == 200
    stored = str(await press.superuser.fetch("SELECT * FROM delivery.mail_link"))
    assert confirm.partition("=")[2] not in stored
    assert FIRST not in stored + str(await press.superuser.fetch("SELECT * FROM delivery.recipient"))

    # Also not for another team of the agency.
    await put_contacts(press.superuser, FIRST, team="radio")
    press.now += timedelta(days=2)
    await asked(press)
    await press.superuser.execute("UPDATE delivery.recipient SET letter_at = now() - interval '31 days'")
    assert await delete_recipients(press.own, 500) == "DELETE 0"
    await press.superuser.execute("DELETE FROM delivery.contact")
    assert await delete_recipients(press.own, 500) == "DELETE 1", "what was stopped stays"
    await put_contacts(press.superuser, FIRST)
    await trigger(press)
    await asked(press)
    assert len(press.mails.received) == 1


async def test_a_letter_of_unknown_outcome_is_not_asked_again(settings: Settings, connection: Connection) -> None:
    async with office(settings, connection, FIRST, SECOND) as press:
        press.mails.drops = 1
        await asked(press)
        # The process ends between the count and the record of an attempt.
        press.now += timedelta(days=1, seconds=1)
        await connection.execute("UPDATE delivery.contact SET added_at = $1", press.now)
        await ask(press.own, press.epoch, press.now)
        first = "SELECT min(message_id) FROM delivery.message WHERE state = 'waiting'"
        await count_attempts(press.own, [await connection.fetchval(first)])
        press.now += timedelta(hours=12)
        await press.send()
        assert len(press.mails.received) == 3
        assert sorted(await press.states()) == [(ASKS, "delivered", 1)] * 2 + [(ASKS, "failed", 1), (ASKS, "failed", 2)]


async def test_addresses_of_before_stay_in_use_for_thirty_days_and_are_asked(press: Desk) -> None:
    migration = read("infra.migrations", "0052_confirmed_addresses.sql")
    await press.superuser.execute(migration[migration.index("INSERT INTO delivery.recipient") :])
    press.now = (await recipient(press.superuser))["created_at"] + timedelta(minutes=1)
    await press.superuser.execute("UPDATE delivery.contact SET added_at = $1", press.now - timedelta(minutes=2))
    await trigger(press)
    await asked(press)
    assert press.mails.kinds == [(FIRST, "e"), (FIRST, "confirm.1.1")]
    press.now += timedelta(days=20)
    await asked(press)
    assert len(press.mails.received) == 2
    press.now += timedelta(days=4)  # the last week
    for _ in range(2):
        await asked(press)
    assert [event for _, event in press.mails.kinds[2:]] == ["confirm.1.2"]
    await trigger(press, "e2")
    press.now += timedelta(days=6)
    await trigger(press, "e3")
    assert [event for _, event in press.mails.kinds[3:]] == ["e2"]
    expires = await press.superuser.fetchval("SELECT max(expires_at) FROM delivery.mail_link")
    assert expires >= (await recipient(press.superuser))["usable_until"]
