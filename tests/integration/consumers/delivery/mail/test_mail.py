"""E-mails to campaign teams, by a real SMTP server and the real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from math import inf

import pytest
from structlog.testing import capture_logs

from consumers.delivery.email_address import BadAddress
from consumers.delivery.mail.message import Sender
from consumers.delivery.mail.route import Letters
from consumers.delivery.mail.timed import TimedMessages
from consumers.delivery.sending.messages import count_attempts
from events.errors import Fenced
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.every import every
from tests.team_seals import SEALS, seal_rows
from tests.world.mail import (
    FIRST,
    LINKS,
    SECOND,
    Desk,
    MailServer,
    add_team,
    at,
    desk,
    epoch_of,
    mail_server,
    put_contacts,
    smtp,
    text_of,
)
from tests.world.story import Story
from tests.world.teams import fold, launches, make_live

LAUNCHED = "service-launched.i3"
"""Its service S0 of health was launched on 1 November 2026; it is due on the 15th."""


@asynccontextmanager
async def office(
    settings: Settings, connection: Connection, story: Story, mails: MailServer | None = None
) -> AsyncIterator[Desk]:
    """A team with two desks; each entry about a campaign waits to be sent."""
    await make_live(connection, story)
    await add_team(connection, FIRST, SECOND)
    now, console = at("2026-11-02T09:00+03:00"), "https://console.example"
    async with mail_server() as running, desk(settings, connection, mails or running, now, console) as opened:
        await opened.put_entries(story)
        yield opened


@pytest.fixture
async def press(settings: Settings, connection: Connection) -> AsyncIterator[Desk]:
    """The trigger of the campaign waits to be sent."""
    async with office(settings, connection, launches()[0]) as opened:
        yield opened


async def sent(press: Desk, kind: str, name: str, **more: object) -> None:
    """Another message about the campaign, in a lane of its own."""
    await press.put(kind, name, **({"campaign_id": LAUNCHED, "log_index": 4, "lane": name} | more))
    await press.send()


async def make_timed(press: Desk, timed: TimedMessages | None = None) -> None:
    """The reminders and digests of this moment: the first of two rounds only notes the size of the log."""
    timed = timed or TimedMessages()
    for _ in range(2):
        await timed.make(press.own, press.epoch, press.now)


async def test_each_letter_is_one_in_both_languages_to_the_desk_that_it_is_for(press: Desk) -> None:
    """Two subscriptions of the team take the trigger."""
    await press.superuser.execute(
        "INSERT INTO delivery.subscription (agency, team, route, rules, from_index)"
        " VALUES ('health', 'press', 'email', '{service-launched}', 0)"
    )
    await press.put("triggered", f"triggered.{LAUNCHED}", campaign_id=LAUNCHED, log_index=4, subscription_id=2)
    assert await press.send() == inf
    (message,) = press.mails.messages
    assert press.mails.kinds == [(FIRST, f"triggered.{LAUNCHED}")]
    assert (str(message["To"]), str(message["Reply-To"])) == (FIRST, "office@yesser.example")
    assert str(message["Subject"]).startswith("حملة توعية جديدة، الموعد 2026-11-15: «S0»")
    for words in (
        "15 نوفمبر 2026",
        "15 November 2026",
        "https://console.example/",
        "yesser campaigns ack service-launched",
    ):
        assert words in text_of(message)
    assert await press.states() == [("triggered", "delivered", 1), ("triggered", "cancelled", 1)]
    assert (await press.errors())[0] == (250, None)
    await press.send()
    assert len(press.mails.received) == 1

    await press.superuser.execute("UPDATE campaigns.campaign SET urgency = 'high'")
    await sent(press, "triggered", "urgent")
    assert str(press.mails.messages[-1]["Subject"]).startswith("[عاجلة / Urgent] ")
    await sent(press, "escalated", "escalated")
    assert press.mails.kinds[-1] == (SECOND, "escalated"), "the next desk"

    await press.superuser.execute(
        "INSERT INTO delivery.endpoint (endpoint_id, agency, team, url, disabled_at, disabled_reason)"
        " VALUES ('ep_1', 'health', 'press', 'https://x.example', now(), 'gone')"
    )
    about = {"campaign_id": None, "log_index": None, "subscription_id": None}
    await sent(press, "endpoint-disabled", "ep_1.1", endpoint_id="ep_1", **about)
    assert "its server answered that it is gone (410)" in text_of(press.mails.messages[-1])
    assert press.mails.kinds[-1][0] == FIRST


async def test_what_happens_to_a_campaign_is_one_thread_in_order_also_after_a_temporary_refusal(
    settings: Settings, connection: Connection
) -> None:
    story, _ = launches()
    story.acknowledge(LAUNCHED)
    story.change("suspended", "S0")
    story.come_back()
    story.at = "2026-11-03T08:00:00.000000Z"
    story.change("resumed", "S0")
    story.come_back()
    story.air(LAUNCHED, "A1", "tv")
    story.complete(LAUNCHED)
    async with office(settings, connection, story) as press:
        press.mails.refusals = {FIRST: "451 4.7.1 greylisted"}
        await press.send()
        assert [row[1:] for row in await press.states()] == [("waiting", 1), *[("waiting", 0)] * 5]
        press.mails.refusals = {}
        await press.send()
        assert press.mails.received == [], "not due yet, and the next ones wait behind it"
        press.now = at("2026-11-02T09:02+03:00")
        await press.send()
    messages = press.mails.messages
    assert [str(message["Subject"]).partition("|")[2].strip() for message in messages] == [
        "New awareness campaign, due 2026-11-17: S0",
        "Acknowledged by desk: S0",
        "Campaign paused: S0",
        "Campaign resumed, now due 2026-11-17: S0",
        "Aired on television: S0",
        "Campaign completed: S0",
    ]
    assert len({str(message["References"]) for message in messages}) == 1
    assert len({str(message["Message-ID"]) for message in messages}) == 6
    assert {message["Yesser-Repeat"] for message in messages} == {None}
    assert "Nobody else needs to act." in text_of(messages[1])
    assert {to for to, _ in press.mails.received} == {FIRST}


async def test_what_may_have_arrived_is_repeated_by_name_and_three_times_at_most(press: Desk) -> None:
    press.mails.drops = 1
    await press.send()
    assert await press.states() == [("triggered", "waiting", 1)]
    assert await press.errors() == [(None, "unknown")]
    press.now = at("2026-11-02T09:05+03:00")
    await press.send()
    first, second = press.mails.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert (first["Yesser-Repeat"], second["Yesser-Repeat"]) == (None, "2")
    assert "Possible repeat" not in str(first["Subject"])
    assert str(second["Subject"]).startswith("[تكرار محتمل / Possible repeat] ")
    assert await press.states() == [("triggered", "delivered", 2)]

    # The process ends between the count and the record of an attempt; the next one goes on at once.
    await press.put("triggered", "claimed", campaign_id=LAUNCHED, log_index=4)
    await count_attempts(press.own, [await press.superuser.fetchval("SELECT max(message_id) FROM delivery.message")])
    press.begin_term(await epoch_of(press.superuser, press.settings, "another"))
    await press.send()
    assert [message["Yesser-Repeat"] for message in press.mails.messages[2:]] == ["2"]

    press.mails.drops = 100
    await press.put("triggered", "never answered", campaign_id=LAUNCHED, log_index=4)
    for hour in range(10, 21):
        press.now = at(f"2026-11-02T{hour:02}:00+03:00")
        await press.send()
    assert len(press.mails.received) == 6
    assert (await press.states())[-1] == ("triggered", "failed", 3)


async def test_a_refusal_is_of_one_message_and_what_does_not_arrive_is_given_up_after_five_days(press: Desk) -> None:
    press.mails.refusals = {FIRST: "550 5.1.1 no such desk"}
    await press.put("escalated", "e", campaign_id=LAUNCHED, log_index=4)
    await press.send()
    assert await press.states() == [("triggered", "failed", 1), ("escalated", "delivered", 1)]
    assert await press.errors() == [(550, "refused"), (250, None)]
    answer = await press.superuser.fetchval("SELECT answer FROM delivery.attempt ORDER BY message_id LIMIT 1")
    assert answer == b"5.1.1 no such desk"
    assert press.mails.sessions == 1, "the server is kept"

    press.mails.refusals, press.mails.answer = {}, "554 5.7.1 looks like spam"
    await sent(press, "triggered", "spam")
    assert (await press.states())[-1] == ("triggered", "failed", 1)
    assert (await press.errors())[-1] == (554, "refused")

    press.mails.answer, press.mails.stall_s = None, 2.0
    await sent(press, "triggered", "stalled")
    assert (await press.errors())[-1] == (None, "unknown"), "the server is left after the timeout"
    press.mails.stall_s, seen = 0, len(press.mails.received)
    press.now = at("2026-11-07T09:00+03:00")
    await press.send()
    assert len(press.mails.received) == seen
    assert (await press.states())[-1] == ("triggered", "failed", 2)
    assert (await press.errors())[-1] == (None, "expired")


async def test_a_message_that_cannot_be_written_fails_and_is_not_sent(press: Desk) -> None:
    press.route = Letters(smtp(press.mails), Sender("no address"), LINKS, lambda: SEALS)
    press.begin_term(press.epoch)
    with capture_logs() as lines:
        await press.send()
    assert press.mails.received == []
    assert await press.states() == [("triggered", "failed", 1)]
    assert await press.errors() == [(None, "cannot-be-written")]
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["message"], type(line["exc_info"])) == (1, BadAddress)


async def test_messages_wait_for_the_server_and_none_is_lost(settings: Settings, connection: Connection) -> None:
    async with mail_server() as away:
        pass
    async with office(settings, connection, launches()[0], away) as press:
        for rest_s in (5, 10):
            assert await press.send() == rest_s
            press.now += timedelta(seconds=rest_s)
        assert await press.errors() == [(None, "no-server")] * 2
        async with mail_server(away.port) as mails:
            assert await press.send() == inf
            assert [message["Yesser-Repeat"] for message in mails.messages] == [None]
            assert await press.states() == [("triggered", "delivered", 3)]


THIEF = "thief@health.example"


@every(
    "statement, is_sealed, state, reason",
    [
        ("DELETE FROM delivery.contact", True, "failed", "no-contact"),
        (f"UPDATE delivery.contact SET address = E'a@b.example\\r\\nBcc: {THIEF}'", True, "failed", "bad-address"),
        ("UPDATE delivery.contact SET address = '=?zz?q?x?=@health.example'", True, "failed", "bad-address"),
        ("UPDATE delivery.team SET closed_at = now()", True, "cancelled", "team-closed"),
        (f"UPDATE delivery.contact SET address = '{THIEF}' WHERE rank = 1", False, "failed", "team-changed"),
        ("UPDATE delivery.contact SET rank = 10 - rank", False, "failed", "team-changed"),
        (f"INSERT INTO delivery.contact VALUES ('health', 'press', 9, '{THIEF}')", False, "failed", "team-changed"),
        ("UPDATE delivery.team SET seal = NULL", False, "failed", "team-changed"),
        ("DELETE FROM delivery.contact WHERE rank = 1", False, "failed", "team-changed"),
    ],
)
async def test_a_team_whose_row_was_changed_gets_no_letter_and_is_told_why(
    press: Desk, statement: str, is_sealed: bool, state: str, reason: str
) -> None:
    await press.superuser.execute(
        "DELETE FROM delivery.attempt; DELETE FROM delivery.message; UPDATE delivery.team SET closed_at = NULL"
    )
    await put_contacts(press.superuser, FIRST, SECOND)
    await seal_rows(press.superuser)
    await press.superuser.execute(statement)
    if is_sealed:
        await seal_rows(press.superuser)
    await sent(press, "triggered", "e")
    assert press.mails.received == []
    assert await press.states() == [("triggered", state, 1)]
    assert await press.errors() == [(None, reason)]


async def test_reminders_and_digests_come_once_at_their_moments(press: Desk) -> None:
    await press.superuser.execute("DELETE FROM delivery.message")
    timed = TimedMessages()

    async def moment(text: str, *, again: bool = False) -> list[str]:
        """What the messages made and sent at this moment are about. `again`: by a process that started anew."""
        nonlocal timed
        timed = TimedMessages() if again else timed
        press.now, before = at(text), len(press.mails.received)
        await make_timed(press, timed)
        await press.send()
        return [event for _, event in press.mails.kinds[before:]]

    assert await moment("2026-11-08T07:59+03:00") == []
    assert await moment("2026-11-08T08:00+03:00") == ["digest.2026-11-08"]
    assert await moment("2026-11-11T07:59+03:00") == []
    # Two working days before Sunday the 15th is Wednesday the 11th.
    assert await moment("2026-11-11T08:00+03:00") == [f"reminder.{LAUNCHED}.2026-11-15"]
    assert await moment("2026-11-14T12:00+03:00", again=True) == []
    assert await moment("2026-11-09T12:00+03:00") == []  # the clock went back
    assert await moment("2026-11-15T23:59+03:00") == ["digest.2026-11-15"]
    assert await moment("2026-11-16T00:00+03:00", again=True) == []
    assert "Due this week (1)" in text_of(press.mails.messages[-1])
    # The digest of the 22nd could not be sent in time and is left out; the next one comes.
    assert await moment("2026-11-24T08:00+03:00") == []
    assert await moment("2026-11-29T08:00+03:00") == ["digest.2026-11-29"]
    assert "Launched without any airing, and overdue (1)" in text_of(press.mails.messages[-1])


async def test_a_rebuild_and_a_new_process_send_nothing_again_nor_does_the_one_that_lost_the_lease(
    settings: Settings, connection: Connection
) -> None:
    story, _ = launches()
    async with office(settings, connection, story) as press:
        await press.send()
        press.now = at("2026-11-15T09:00+03:00")

        async def received() -> int:
            await make_timed(press)
            await press.send()
            return len(press.mails.received)

        assert await received() == 3  # the trigger, the reminder, the digest
        await connection.execute("DROP SCHEMA campaigns CASCADE")
        assert await received() == 3  # while there are no tables
        await fold(connection, story.entries, batch=2)
        epoch = await epoch_of(connection, settings, "another")
        await press.put("triggered", "late", campaign_id=LAUNCHED, log_index=4)
        with pytest.raises(Fenced):
            await press.send()
        assert len(press.mails.received) == 3
        await connection.execute("DELETE FROM delivery.message WHERE event_id = 'late'")
        press.begin_term(epoch)
        assert await received() == 3


async def test_only_a_campaign_that_lacks_something_is_reminded_of_and_only_while_it_does(
    settings: Settings, connection: Connection
) -> None:
    story, (aired, completed, _, lacking) = launches(4)
    story.acknowledge(aired)
    for channel in ("tv", "radio", "print"):
        story.air(aired, channel, channel)
    story.complete(completed)
    story.change("suspended", "S2")
    made = "SELECT event_id FROM delivery.message"
    async with office(settings, connection, story) as press:
        await connection.execute("DELETE FROM delivery.message")
        press.now = at("2026-11-11T08:00+03:00")
        await make_timed(press)
        assert [row[0] for row in await connection.fetch(made)] == [f"reminder.{lacking}.2026-11-15"]
        await connection.execute("UPDATE campaigns.campaign SET completed_index = 4")
        await press.send()
        assert press.mails.received == []
        assert await press.states() == [("reminder", "cancelled", 1)]

        await connection.execute(
            "DELETE FROM delivery.attempt; DELETE FROM delivery.message;"
            " UPDATE campaigns.campaign SET completed_index = NULL; UPDATE log.state SET size = size + 1000"
        )
        await make_timed(press)
        assert await press.states() == [], "the campaigns are behind the log"
