"""E-mails to campaign teams, by a real SMTP server and the real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consumers.delivery.mail.part import POLL_S, PostOffice
from consumers.delivery.mail.queue import claim
from consumers.delivery.mail.timed import TimedMessages
from events.errors import Fenced
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.integration.consumers.campaigns.test_campaigns import fold
from tests.team_seals import SEALS, seal_rows
from tests.unit.consumers.delivery.mail.mail_server import (
    FIRST,
    LINKS,
    SECOND,
    SENDER,
    Desk,
    MailServer,
    add_team,
    at,
    epoch_of,
    lay_down,
    mail_server,
    smtp,
)
from tests.world.story import Story

LAUNCHED = "service-launched.i3"
NOW = at("2026-11-02T09:00+03:00")


def launched() -> Story:
    """Service S of health was launched on 1 November 2026; its campaign is due on the 15th."""
    story = Story()
    story.register("S")
    story.launch("S")
    assert story.come_back() == [f"triggered.{LAUNCHED}"]
    return story


@asynccontextmanager
async def desk(settings: Settings, connection: Connection, mails: MailServer, story: Story) -> AsyncIterator[Desk]:
    """A team with two desks, and the post office with the rights of its own role."""
    await lay_down(connection, story)
    await add_team(connection, FIRST, SECOND)
    epoch = await epoch_of(connection, settings)
    async with connected(settings.acting_as("delivery"), "mail") as own:
        opened = Desk(
            settings,
            connection,
            PostOffice(own, epoch, smtp(mails), SENDER, LINKS, lambda: SEALS, "https://console.example"),
            NOW,
        )
        opened.office.clock = lambda: opened.now
        yield opened


async def test_a_trigger_is_one_message_in_both_languages(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put_entries(story)
        assert await press.send() == POLL_S

        (message,) = mails.messages
        assert mails.kinds == [(FIRST, f"triggered.{LAUNCHED}")]
        assert str(message["To"]) == FIRST
        assert str(message["Reply-To"]) == "office@yesser.example"
        assert message["Auto-Submitted"] == "auto-generated"
        assert str(message["Subject"]).startswith("حملة توعية جديدة، الموعد 2026-11-15: «S»")
        text = message.get_body(("plain",))
        html = message.get_body(("html",))
        assert text is not None
        assert html is not None
        shown = text.get_content()
        assert "الأحد 15 نوفمبر 2026 م (5 جمادى الآخرة 1448 هـ)" in shown
        assert "Sunday 15 November 2026 (5 Jumada al-Thania 1448 AH)" in shown
        assert "https://console.example/campaigns/service-launched.i3" in shown
        assert "yesser campaigns ack service-launched.i3 --by DESK" in shown
        assert 'dir="rtl"' in html.get_content()
        assert await press.states() == [("campaign.triggered", "delivered", 1)]
        assert await press.errors() == [(250, None)]

        await press.send()
        assert len(mails.received) == 1


async def test_what_happens_to_a_campaign_is_one_thread(settings: Settings, connection: Connection) -> None:
    story = launched()
    story.acknowledge(LAUNCHED)
    story.change("suspended", "S")
    story.come_back()
    story.at = "2026-11-03T08:00:00.000000Z"
    story.change("resumed", "S")
    story.come_back()
    story.air(LAUNCHED, "A1", "tv")
    story.complete(LAUNCHED)
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put_entries(story)
        await press.send()

        subjects = [str(message["Subject"]).partition("|")[2].strip() for message in mails.messages]
        assert subjects == [
            "New awareness campaign, due 2026-11-17: S",
            "Acknowledged by desk: S",
            "Campaign paused: S",
            "Campaign resumed, now due 2026-11-17: S",
            "Aired on television: S",
            "Campaign completed: S",
        ]
        assert len({str(message["References"]) for message in mails.messages}) == 1
        assert len({str(message["Message-ID"]) for message in mails.messages}) == 6
        plain = mails.messages[1].get_body(("plain",))
        assert plain is not None
        assert "Nobody else needs to act." in plain.get_content()
        assert {to for to, _ in mails.received} == {FIRST}


async def test_the_urgency_is_that_of_the_campaign(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await connection.execute("UPDATE campaigns.campaign SET urgency = 'high'")
        await press.put_entries(story)
        await press.send()
        assert str(mails.messages[0]["Subject"]).startswith("[عاجل / Urgent] ")


async def test_an_escalation_goes_to_the_next_desk(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put("campaign.escalated", f"escalated.{LAUNCHED}", campaign_id=LAUNCHED, log_index=4)
        await press.send()
        assert mails.kinds == [(SECOND, f"escalated.{LAUNCHED}")]


async def test_two_subscriptions_of_a_team_give_one_message(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await connection.execute(
            "INSERT INTO delivery.subscription (agency, team, route, rules, from_index)"
            " VALUES ('health', 'press', 'email', '{service-launched}', 0)"
        )
        await press.put_entries(story)
        await press.put(
            "campaign.triggered", f"triggered.{LAUNCHED}", campaign_id=LAUNCHED, log_index=4, subscription_id=2
        )
        await press.send()
        assert len(mails.received) == 1
        assert await press.states() == [("campaign.triggered", "delivered", 1), ("campaign.triggered", "cancelled", 1)]


async def test_a_lost_answer_leads_to_a_repeat_that_is_named(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        mails.drops = 1
        await press.put_entries(story)
        await press.send()
        assert await press.states() == [("campaign.triggered", "waiting", 1)]
        assert await press.errors() == [(None, "unknown")]

        press.now = at("2026-11-02T09:05+03:00")
        await press.send()
        first, second = mails.messages
        assert first["Message-ID"] == second["Message-ID"]
        assert first["Yesser-Repeat"] is None
        assert second["Yesser-Repeat"] == "2"
        assert "Possible repeat" not in str(first["Subject"])
        assert str(second["Subject"]).startswith("[تكرار محتمل / Possible repeat] ")
        assert await press.states() == [("campaign.triggered", "delivered", 2)]


async def test_an_attempt_that_was_never_recorded_is_a_possible_repeat(
    settings: Settings, connection: Connection
) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put_entries(story)
        # The process ends between the claim and the record of its attempt.
        assert await claim(press.office.connection, press.office.epoch, press.now) is not None
        await press.send()
        assert mails.received == []  # another process may be sending it

        press.now = at("2026-11-02T09:11+03:00")
        await press.send()
        (message,) = mails.messages
        assert message["Yesser-Repeat"] == "2"


async def test_a_server_that_never_answers_gets_three_copies_at_most(
    settings: Settings, connection: Connection
) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        mails.drops = 100
        await press.put_entries(story)
        for hour in range(9, 20):
            press.now = at(f"2026-11-02T{hour:02}:00+03:00")
            await press.send()
        assert len(mails.received) == 3
        assert await press.states() == [("campaign.triggered", "failed", 3)]


async def test_a_refused_address_fails_with_the_reason_and_the_others_go_on(
    settings: Settings, connection: Connection
) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        mails.refusals = {FIRST: "550 5.1.1 no such desk"}
        await press.put_entries(story)
        await press.put("campaign.escalated", "e", campaign_id=LAUNCHED, log_index=4)
        await press.send()
        assert await press.states() == [("campaign.triggered", "failed", 1), ("campaign.escalated", "delivered", 1)]
        assert await press.errors() == [(550, "refused"), (250, None)]
        answer = await connection.fetchval("SELECT answer FROM delivery.attempt ORDER BY message_id LIMIT 1")
        assert answer == b"5.1.1 no such desk"
        assert mails.sessions == 1


async def test_a_temporary_refusal_is_tried_again_in_order(settings: Settings, connection: Connection) -> None:
    story = launched()
    story.acknowledge(LAUNCHED)
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        mails.refusals = {FIRST: "451 4.7.1 greylisted"}
        await press.put_entries(story)
        await press.send()
        assert await press.states() == [
            ("campaign.triggered", "waiting", 1),
            ("awareness.campaign-acknowledged", "waiting", 0),
        ]
        mails.refusals = {}
        await press.send()
        assert mails.received == []  # not due yet, and the next one waits behind it
        press.now = at("2026-11-02T09:02+03:00")
        await press.send()
        assert [event for _, event in mails.kinds] == [story.entries[4].id, story.entries[5].id]
        assert [message["Yesser-Repeat"] for message in mails.messages] == [None, None]


async def test_messages_wait_while_the_server_is_away_and_none_is_lost(
    settings: Settings, connection: Connection
) -> None:
    story = launched()
    async with mail_server() as mails:
        port = mails.port
        async with desk(settings, connection, mails, story) as press:
            pass
    assert press.office.server.port == port
    async with connected(settings.acting_as("delivery"), "mail") as own:
        press.office.connection = own
        await press.put_entries(story)
        wait_s = await press.send()
        assert POLL_S < wait_s <= 5
        assert 5 <= await press.send() <= 10
        assert await press.errors() == [(None, "no-server")] * 2
        async with mail_server(port) as mails:
            assert await press.send() == POLL_S
            assert [message["Yesser-Repeat"] for message in mails.messages] == [None]
            assert await press.states() == [("campaign.triggered", "delivered", 3)]


async def test_a_server_that_stalls_is_left_after_the_timeout(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        mails.stall_s = 2.0
        await press.put_entries(story)
        await press.send()
        assert await press.errors() == [(None, "unknown")]


async def test_a_server_that_refuses_the_content_fails_this_message_alone(
    settings: Settings, connection: Connection
) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        mails.answer = "554 5.7.1 looks like spam"
        await press.put_entries(story)
        await press.send()
        assert await press.states() == [("campaign.triggered", "failed", 1)]
        assert await press.errors() == [(554, "refused")]


async def test_a_message_is_given_up_after_five_days(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put_entries(story)
        press.now = at("2026-11-07T09:00+03:00")
        await press.send()
        assert mails.received == []
        assert await press.states() == [("campaign.triggered", "failed", 1)]
        assert await press.errors() == [(None, "expired")]


@pytest.mark.parametrize(
    ("statement", "state", "reason"),
    [
        ("DELETE FROM delivery.contact", "failed", "no-contact"),
        ("UPDATE delivery.contact SET address = E'a@b.example\\r\\nBcc: c@health.example'", "failed", "bad-address"),
        ("UPDATE delivery.contact SET address = '=?zz?q?x?=@health.example'", "failed", "bad-address"),
        ("UPDATE delivery.team SET closed_at = now()", "cancelled", "team-closed"),
    ],
)
async def test_a_message_that_nobody_is_to_get_is_not_sent(
    settings: Settings, connection: Connection, statement: str, state: str, reason: str
) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put_entries(story)
        await connection.execute(statement)
        await seal_rows(connection)
        await press.send()
        assert mails.received == []
        assert await press.states() == [("campaign.triggered", state, 1)]
        assert await press.errors() == [(None, reason)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE delivery.contact SET address = 'thief@health.example' WHERE rank = 1",
        "UPDATE delivery.contact SET rank = 10 - rank",
        "INSERT INTO delivery.contact VALUES ('health', 'press', 9, 'thief@health.example')",
        "UPDATE delivery.team SET seal = NULL",
        "DELETE FROM delivery.contact WHERE rank = 1",
    ],
)
async def test_a_team_whose_row_was_changed_gets_no_letter_and_is_told_why(
    settings: Settings, connection: Connection, statement: str
) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put_entries(story)
        assert await connection.execute(statement)
        await press.send()
        assert mails.received == []
        assert await press.errors() == [(None, "team-changed")]


async def test_a_process_that_lost_the_lease_sends_nothing(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put_entries(story)
        await epoch_of(connection, settings, "another")
        with pytest.raises(Fenced):
            await press.send()
        assert mails.received == []


async def test_a_disabled_endpoint_is_told_to_the_first_desk(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await connection.execute(
            "INSERT INTO delivery.endpoint (endpoint_id, agency, team, url, disabled_at, disabled_reason)"
            " VALUES ('ep_1', 'health', 'press', 'https://x.example', now(), 'gone')"
        )
        await press.put("endpoint-disabled", "ep_1.1", endpoint_id="ep_1", subscription_id=None)
        await press.send()
        (message,) = mails.messages
        text = message.get_body(("plain",))
        assert text is not None
        assert "POST /v1/webhooks/ep_1/enable" in text.get_content()
        assert "its server answered that it is gone (410)" in text.get_content()


async def test_reminders_and_digests_come_once_at_their_moments(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        timed = TimedMessages()

        async def moment(text: str, *, again: bool = False) -> list[str]:
            """What the messages made and sent at this moment are about. `again`: by a process that started anew."""
            nonlocal timed
            timed = TimedMessages() if again else timed
            press.now, before = at(text), len(mails.received)
            for _ in range(2):
                await timed.make(press.office.connection, press.office.epoch, press.now)
            await press.send()
            return [event for _, event in mails.kinds[before:]]

        assert await moment("2026-11-08T07:59+03:00") == []
        assert await moment("2026-11-08T08:00+03:00") == ["digest.2026-11-08"]
        assert await moment("2026-11-11T07:59+03:00") == []
        # Two working days before Sunday the 15th is Wednesday the 11th.
        assert await moment("2026-11-11T08:00+03:00") == [f"reminder.{LAUNCHED}.2026-11-15"]
        assert await moment("2026-11-14T12:00+03:00", again=True) == []
        assert await moment("2026-11-09T12:00+03:00") == []  # the clock went back
        assert await moment("2026-11-15T23:59+03:00") == ["digest.2026-11-15"]
        assert await moment("2026-11-16T00:00+03:00", again=True) == []
        digest = mails.messages[-1].get_body(("plain",))
        assert digest is not None
        assert "Due this week (1)" in digest.get_content()
        # The digest of the 22nd could not be sent in time and is left out; the next one comes.
        assert await moment("2026-11-24T08:00+03:00") == []
        assert await moment("2026-11-29T08:00+03:00") == ["digest.2026-11-29"]
        digest = mails.messages[-1].get_body(("plain",))
        assert digest is not None
        assert "Launched without any airing, and overdue (1)" in digest.get_content()


async def test_a_rebuild_and_a_new_process_send_nothing_again(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await press.put_entries(story)
        await press.send()

        async def morning() -> int:
            press.now, timed = at("2026-11-15T09:00+03:00"), TimedMessages()
            for _ in range(2):
                await timed.make(press.office.connection, press.office.epoch, press.now)
            await press.send()
            return len(mails.received)

        assert await morning() == 3  # the trigger, the reminder, the digest
        await connection.execute("DROP SCHEMA campaigns CASCADE")
        assert await morning() == 3  # while there are no tables
        await fold(connection, story.entries, batch=2)
        press.office.epoch = await epoch_of(connection, settings, "another")
        assert await morning() == 3


@pytest.mark.parametrize("done", ["aired", "completed", "paused"])
async def test_a_campaign_that_lacks_nothing_is_not_reminded_of(
    settings: Settings, connection: Connection, done: str
) -> None:
    story = launched()
    if done == "aired":
        story.acknowledge(LAUNCHED)
        for channel in ("tv", "radio", "print"):
            story.air(LAUNCHED, channel, channel)
    elif done == "completed":
        story.complete(LAUNCHED)
    else:
        story.change("suspended", "S")
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        press.now = at("2026-11-11T08:00+03:00")
        timed = TimedMessages()
        for _ in range(2):
            await timed.make(press.office.connection, press.office.epoch, press.now)
        await press.send()
        assert mails.received == []


async def test_a_reminder_that_is_no_longer_needed_is_not_sent(settings: Settings, connection: Connection) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        press.now = at("2026-11-11T08:00+03:00")
        timed = TimedMessages()
        for _ in range(2):
            await timed.make(press.office.connection, press.office.epoch, press.now)
        await connection.execute("UPDATE campaigns.campaign SET completed_index = 4")
        await press.send()
        assert mails.received == []
        assert await press.states() == [("reminder", "cancelled", 1)]


async def test_no_reminder_is_made_while_the_campaigns_are_behind_the_log(
    settings: Settings, connection: Connection
) -> None:
    story = launched()
    async with mail_server() as mails, desk(settings, connection, mails, story) as press:
        await connection.execute("UPDATE log.state SET size = size + 1000")
        timed = TimedMessages()
        for _ in range(3):
            await timed.make(press.office.connection, press.office.epoch, at("2026-11-11T08:00+03:00"))
        assert await press.states() == []
