"""E-mails to campaign teams, by a real SMTP server and the real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consumers.delivery.mail.part import POLL_S
from consumers.delivery.mail.queue import claim
from consumers.delivery.mail.timed import TimedMessages
from events.errors import Fenced
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.every import every
from tests.team_seals import seal_rows
from tests.world.mail import FIRST, SECOND, Desk, MailServer, add_team, at, desk, epoch_of, mail_server, text_of
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


@pytest.fixture
async def idle(press: Desk) -> Desk:
    """Nothing waits to be sent."""
    await press.superuser.execute("DELETE FROM delivery.message")
    return press


async def make_timed(press: Desk, timed: TimedMessages | None = None) -> None:
    """The reminders and digests of this moment: the first of two rounds only notes the size of the log."""
    timed = timed or TimedMessages()
    for _ in range(2):
        await timed.make(press.office.connection, press.office.epoch, press.now)


async def test_a_trigger_is_one_message_in_both_languages(press: Desk) -> None:
    assert await press.send() == POLL_S

    (message,) = press.mails.messages
    assert press.mails.kinds == [(FIRST, f"triggered.{LAUNCHED}")]
    assert str(message["To"]) == FIRST
    assert str(message["Reply-To"]) == "office@yesser.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert str(message["Subject"]).startswith("حملة توعية جديدة، الموعد 2026-11-15: «S0»")
    shown, html = text_of(message), message.get_body(("html",))
    assert html is not None
    assert "الأحد 15 نوفمبر 2026 م (5 جمادى الآخرة 1448 هـ)" in shown
    assert "Sunday 15 November 2026 (5 Jumada al-Thania 1448 AH)" in shown
    assert "https://console.example/campaigns/service-launched.i3" in shown
    assert "yesser campaigns ack service-launched.i3 --by DESK" in shown
    assert 'dir="rtl"' in html.get_content()
    assert await press.states() == [("campaign.triggered", "delivered", 1)]
    assert await press.errors() == [(250, None)]

    await press.send()
    assert len(press.mails.received) == 1


async def test_what_happens_to_a_campaign_is_one_thread(settings: Settings, connection: Connection) -> None:
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
    assert "Nobody else needs to act." in text_of(messages[1])
    assert {to for to, _ in press.mails.received} == {FIRST}


async def test_the_urgency_is_that_of_the_campaign(press: Desk) -> None:
    await press.superuser.execute("UPDATE campaigns.campaign SET urgency = 'high'")
    await press.send()
    assert str(press.mails.messages[0]["Subject"]).startswith("[عاجل / Urgent] ")


async def test_an_escalation_goes_to_the_next_desk(idle: Desk) -> None:
    await idle.put("campaign.escalated", f"escalated.{LAUNCHED}", campaign_id=LAUNCHED, log_index=4)
    await idle.send()
    assert idle.mails.kinds == [(SECOND, f"escalated.{LAUNCHED}")]


async def test_two_subscriptions_of_a_team_give_one_message(press: Desk) -> None:
    await press.superuser.execute(
        "INSERT INTO delivery.subscription (agency, team, route, rules, from_index)"
        " VALUES ('health', 'press', 'email', '{service-launched}', 0)"
    )
    await press.put("campaign.triggered", f"triggered.{LAUNCHED}", campaign_id=LAUNCHED, log_index=4, subscription_id=2)
    await press.send()
    assert len(press.mails.received) == 1
    assert await press.states() == [("campaign.triggered", "delivered", 1), ("campaign.triggered", "cancelled", 1)]


async def test_a_lost_answer_leads_to_a_repeat_that_is_named(press: Desk) -> None:
    press.mails.drops = 1
    await press.send()
    assert await press.states() == [("campaign.triggered", "waiting", 1)]
    assert await press.errors() == [(None, "unknown")]

    press.now = at("2026-11-02T09:05+03:00")
    await press.send()
    first, second = press.mails.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Yesser-Repeat"] is None
    assert second["Yesser-Repeat"] == "2"
    assert "Possible repeat" not in str(first["Subject"])
    assert str(second["Subject"]).startswith("[تكرار محتمل / Possible repeat] ")
    assert await press.states() == [("campaign.triggered", "delivered", 2)]


async def test_an_attempt_that_was_never_recorded_is_a_possible_repeat(press: Desk) -> None:
    # The process ends between the claim and the record of its attempt.
    assert await claim(press.office.connection, press.office.epoch, press.now) is not None
    await press.send()
    assert press.mails.received == []  # another process may be sending it

    press.now = at("2026-11-02T09:11+03:00")
    await press.send()
    (message,) = press.mails.messages
    assert message["Yesser-Repeat"] == "2"


async def test_a_server_that_never_answers_gets_three_copies_at_most(press: Desk) -> None:
    press.mails.drops = 100
    for hour in range(9, 20):
        press.now = at(f"2026-11-02T{hour:02}:00+03:00")
        await press.send()
    assert len(press.mails.received) == 3
    assert await press.states() == [("campaign.triggered", "failed", 3)]


async def test_a_refused_address_fails_with_the_reason_and_the_others_go_on(press: Desk) -> None:
    press.mails.refusals = {FIRST: "550 5.1.1 no such desk"}
    await press.put("campaign.escalated", "e", campaign_id=LAUNCHED, log_index=4)
    await press.send()
    assert await press.states() == [("campaign.triggered", "failed", 1), ("campaign.escalated", "delivered", 1)]
    assert await press.errors() == [(550, "refused"), (250, None)]
    answer = await press.superuser.fetchval("SELECT answer FROM delivery.attempt ORDER BY message_id LIMIT 1")
    assert answer == b"5.1.1 no such desk"
    assert press.mails.sessions == 1


async def test_a_temporary_refusal_is_tried_again_in_order(settings: Settings, connection: Connection) -> None:
    story, _ = launches()
    story.acknowledge(LAUNCHED)
    async with office(settings, connection, story) as press:
        mails = press.mails
        mails.refusals = {FIRST: "451 4.7.1 greylisted"}
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
    async with mail_server() as away:
        pass
    async with office(settings, connection, launches()[0], away) as press:
        assert POLL_S < await press.send() <= 5
        assert 5 <= await press.send() <= 10
        assert await press.errors() == [(None, "no-server")] * 2
        async with mail_server(away.port) as mails:
            assert await press.send() == POLL_S
            assert [message["Yesser-Repeat"] for message in mails.messages] == [None]
            assert await press.states() == [("campaign.triggered", "delivered", 3)]


async def test_a_server_that_stalls_is_left_after_the_timeout(press: Desk) -> None:
    press.mails.stall_s = 2.0
    await press.send()
    assert await press.errors() == [(None, "unknown")]


async def test_a_server_that_refuses_the_content_fails_this_message_alone(press: Desk) -> None:
    press.mails.answer = "554 5.7.1 looks like spam"
    await press.send()
    assert await press.states() == [("campaign.triggered", "failed", 1)]
    assert await press.errors() == [(554, "refused")]


async def test_a_message_is_given_up_after_five_days(press: Desk) -> None:
    press.now = at("2026-11-07T09:00+03:00")
    await press.send()
    assert press.mails.received == []
    assert await press.states() == [("campaign.triggered", "failed", 1)]
    assert await press.errors() == [(None, "expired")]


async def trigger_anew(press: Desk, name: str) -> None:
    """The team is as it was, and another trigger waits, in a lane of its own."""
    await press.superuser.execute("UPDATE delivery.team SET closed_at = NULL; DELETE FROM delivery.contact")
    for rank, address in enumerate((FIRST, SECOND), start=1):
        await press.superuser.execute("INSERT INTO delivery.contact VALUES ('health', 'press', $1, $2)", rank, address)
    await seal_rows(press.superuser)
    await press.put("campaign.triggered", name, campaign_id=LAUNCHED, log_index=4, lane=name)


@every(
    "statement, state, reason",
    [
        ("DELETE FROM delivery.contact", "failed", "no-contact"),
        ("UPDATE delivery.contact SET address = E'a@b.example\\r\\nBcc: c@health.example'", "failed", "bad-address"),
        ("UPDATE delivery.contact SET address = '=?zz?q?x?=@health.example'", "failed", "bad-address"),
        ("UPDATE delivery.team SET closed_at = now()", "cancelled", "team-closed"),
    ],
)
async def test_a_message_that_nobody_is_to_get_is_not_sent(idle: Desk, statement: str, state: str, reason: str) -> None:
    await trigger_anew(idle, statement)
    await idle.superuser.execute(statement)
    await seal_rows(idle.superuser)
    await idle.send()
    assert idle.mails.received == []
    assert (await idle.states())[-1] == ("campaign.triggered", state, 1)
    assert (await idle.errors())[-1] == (None, reason)


@every(
    "statement",
    [
        "UPDATE delivery.contact SET address = 'thief@health.example' WHERE rank = 1",
        "UPDATE delivery.contact SET rank = 10 - rank",
        "INSERT INTO delivery.contact VALUES ('health', 'press', 9, 'thief@health.example')",
        "UPDATE delivery.team SET seal = NULL",
        "DELETE FROM delivery.contact WHERE rank = 1",
    ],
)
async def test_a_team_whose_row_was_changed_gets_no_letter_and_is_told_why(idle: Desk, statement: str) -> None:
    await trigger_anew(idle, statement)
    before = len(await idle.errors())
    assert await idle.superuser.execute(statement)
    await idle.send()
    assert idle.mails.received == []
    assert (await idle.errors())[before:] == [(None, "team-changed")]


async def test_a_process_that_lost_the_lease_sends_nothing(press: Desk) -> None:
    await epoch_of(press.superuser, press.settings, "another")
    with pytest.raises(Fenced):
        await press.send()
    assert press.mails.received == []


async def test_a_disabled_endpoint_is_told_to_the_first_desk(idle: Desk) -> None:
    await idle.superuser.execute(
        "INSERT INTO delivery.endpoint (endpoint_id, agency, team, url, disabled_at, disabled_reason)"
        " VALUES ('ep_1', 'health', 'press', 'https://x.example', now(), 'gone')"
    )
    await idle.put("endpoint-disabled", "ep_1.1", endpoint_id="ep_1", subscription_id=None)
    await idle.send()
    text = text_of(idle.mails.messages[0])
    assert "POST /v1/webhooks/ep_1/enable" in text
    assert "its server answered that it is gone (410)" in text


async def test_reminders_and_digests_come_once_at_their_moments(idle: Desk) -> None:
    timed = TimedMessages()

    async def moment(text: str, *, again: bool = False) -> list[str]:
        """What the messages made and sent at this moment are about. `again`: by a process that started anew."""
        nonlocal timed
        timed = TimedMessages() if again else timed
        idle.now, before = at(text), len(idle.mails.received)
        await make_timed(idle, timed)
        await idle.send()
        return [event for _, event in idle.mails.kinds[before:]]

    assert await moment("2026-11-08T07:59+03:00") == []
    assert await moment("2026-11-08T08:00+03:00") == ["digest.2026-11-08"]
    assert await moment("2026-11-11T07:59+03:00") == []
    # Two working days before Sunday the 15th is Wednesday the 11th.
    assert await moment("2026-11-11T08:00+03:00") == [f"reminder.{LAUNCHED}.2026-11-15"]
    assert await moment("2026-11-14T12:00+03:00", again=True) == []
    assert await moment("2026-11-09T12:00+03:00") == []  # the clock went back
    assert await moment("2026-11-15T23:59+03:00") == ["digest.2026-11-15"]
    assert await moment("2026-11-16T00:00+03:00", again=True) == []
    assert "Due this week (1)" in text_of(idle.mails.messages[-1])
    # The digest of the 22nd could not be sent in time and is left out; the next one comes.
    assert await moment("2026-11-24T08:00+03:00") == []
    assert await moment("2026-11-29T08:00+03:00") == ["digest.2026-11-29"]
    assert "Launched without any airing, and overdue (1)" in text_of(idle.mails.messages[-1])


async def test_a_rebuild_and_a_new_process_send_nothing_again(settings: Settings, connection: Connection) -> None:
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
        press.office.epoch = await epoch_of(connection, settings, "another")
        assert await received() == 3


@pytest.mark.parametrize("done", ["aired", "completed", "paused"])
async def test_a_campaign_that_lacks_nothing_is_not_reminded_of(
    settings: Settings, connection: Connection, done: str
) -> None:
    story, _ = launches()
    if done == "aired":
        story.acknowledge(LAUNCHED)
        for channel in ("tv", "radio", "print"):
            story.air(LAUNCHED, channel, channel)
    elif done == "completed":
        story.complete(LAUNCHED)
    else:
        story.change("suspended", "S0")
    async with office(settings, connection, story) as press:
        await connection.execute("DELETE FROM delivery.message")
        press.now = at("2026-11-11T08:00+03:00")
        await make_timed(press)
        await press.send()
        assert press.mails.received == []


async def test_a_reminder_that_is_no_longer_needed_is_not_sent(idle: Desk) -> None:
    idle.now = at("2026-11-11T08:00+03:00")
    await make_timed(idle)
    await idle.superuser.execute("UPDATE campaigns.campaign SET completed_index = 4")
    await idle.send()
    assert idle.mails.received == []
    assert await idle.states() == [("reminder", "cancelled", 1)]


async def test_no_reminder_is_made_while_the_campaigns_are_behind_the_log(idle: Desk) -> None:
    await idle.superuser.execute("UPDATE log.state SET size = size + 1000")
    idle.now = at("2026-11-11T08:00+03:00")
    await make_timed(idle)
    assert await idle.states() == []
