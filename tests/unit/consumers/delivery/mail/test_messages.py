"""Letters as e-mails: parsed again by the standard library, with hostile names and briefs."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import accumulate, product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.delivery.email_address import BadAddress, checked_address
from consumers.delivery.mail.letters import (
    Acknowledgement,
    Letter,
    confirmation_letter,
    digest_letter,
    endpoint_letter,
    notice_letter,
    topic_letter,
)
from consumers.delivery.mail.message import build, message_id
from consumers.delivery.mail.wording import OPEN_CONSOLE, WORDINGS
from consumers.delivery.sending.route import Message
from consumers.documents.teams.notices import NOTICE_NAMES
from consumers.programme.campaigns.next_step import time_left
from events.values.bilingual import Bilingual
from tests.every import every
from tests.page_rules import Document
from tests.world.letters import (
    APPOINTMENTS,
    CONTEXT,
    FLOOD,
    MESSAGE,
    NOTICE,
    NOW,
    OF_A_CAMPAIGN,
    SENDER,
    STOP,
    TEAM,
    bodies,
    due_campaign,
    every_letter,
)

HOSTILE = [
    "A\r\nBcc: all@agencies.example",
    "A\nSubject: other",
    "A\x00\x1b[31m\x07",
    "\u202egnp.exe",
    "\u2067\u2067\u2067 open",
    "\u2069\u2069 closed",
    "<script>alert(1)</script><img src=x onerror=y>",
    "{{ 7 * 7 }} {due} %s",
    "=?utf-8?q?=0D=0ABcc:_x@y.example?=",
    "\u2028line\u2029paragraph\x85next",
]
LONG = ["x" * 10_240, "كلمة " * 2_048]
HIDDEN = re.compile("[\u202a-\u202e\u200e\u200f\u061c\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def raw(letter: Letter, about: Message = MESSAGE) -> bytes:
    return build(letter, about, SENDER, "press@health.example", NOW).as_bytes()


def parsed(letter: Letter, about: Message = MESSAGE) -> EmailMessage:
    """The message as a mail program reads it."""
    return message_from_bytes(raw(letter, about), policy=default)


def is_closed(text: str) -> bool:
    """Whether each isolate is closed in its line."""
    for shown in text.splitlines():
        steps = ((character in "\u2066\u2067\u2068") - (character == "\u2069") for character in shown)
        depths = [0, *accumulate(steps)]
        if min(depths) < 0 or depths[-1]:
            return False
    return True


@every(
    ("kind", "hostile"),
    [*product(OF_A_CAMPAIGN, [" ".join(reversed(HOSTILE)), *LONG]), *((OF_A_CAMPAIGN[0], one) for one in HOSTILE)],
)
def test_no_text_of_an_event_injects_a_header_or_markup_or_turns_the_direction(kind: str, hostile: str) -> None:
    text = {"ar": hostile, "en": hostile}
    team = replace(TEAM, name=text)
    notice = replace(
        NOTICE,
        kind=kind,
        brief=text,
        reason=text,
        service_name=text,
        service_url=f"https://x.example/{hostile}",
        acknowledged=Acknowledgement(hostile, "2026-11-02", 5),
        values=dict.fromkeys(NOTICE.values, text),
    )
    message = parsed(notice_letter(notice, replace(CONTEXT, team=team)))
    assert set(message.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
        *("Yesser-Event", "Yesser-Campaign", "MIME-Version", "Content-Type"),
        *("List-Unsubscribe", "List-Unsubscribe-Post"),
    }
    assert len(str(message["Subject"])) <= 500
    plain, html = bodies(message)
    assert len(plain) < 30_000
    for shown in (str(message["Subject"]), plain, html):
        assert HIDDEN.search(shown) is None
        assert is_closed(shown)
    page = Document(html)
    assert page.all("script", "img", "iframe", "form", "input") == []
    links = [link.attributes["href"] for link in page.all("a")]
    assert links == ["https://console.example/campaigns/service-launched.i3", STOP] * 2


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_names_at_all_give_a_message_that_is_read_as_it_was_written(name: str, brief: str) -> None:
    notice = replace(NOTICE, service_name={"ar": name, "en": name}, brief={"ar": brief, "en": brief})
    content = raw(notice_letter(notice, CONTEXT))
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert content.isascii()
    message = message_from_bytes(content, policy=default)
    assert message["To"].addresses[0].addr_spec == "press@health.example"
    assert len(message.keys()) == 14
    assert not message.defects
    plain, html = bodies(message)
    assert HIDDEN.search(plain) is None
    assert is_closed(plain)
    assert html.rstrip().endswith("</html>")


@every(
    "address",
    [
        *("a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "A <a@b.example>", "a b@c.example"),
        *("a@b..example", "@b.example", "a@", "a@-b.example", "مكتب@health.example", ""),
        *(f"{'a' * 65}@b.example", f"a@{'b.' * 130}example"),
        *("=?utf-8?q?x?=@b.example", "=?utf-8?b?YQ?=@b.example", "=?zz?q?x?=@b.example"),
        *("a@localhost", "a@192.0.2.1"),  # no team may enter one, so none is sent to
    ],
)
def test_an_address_is_one_plain_address_or_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        checked_address(address)


def test_the_language_of_the_team_is_first_and_the_working_days_left_are_counted() -> None:
    arabic = notice_letter(NOTICE, CONTEXT)
    english = notice_letter(NOTICE, replace(CONTEXT, team=replace(TEAM, language="en")))
    assert arabic.languages == ("ar", "en")
    assert english.languages == ("en", "ar")
    assert english.subject.startswith("New awareness campaign, due 2026-11-15: Appointments | حملة توعية جديدة")
    today = notice_letter(NOTICE, replace(CONTEXT, today="2026-11-01"))
    assert ("Working days left", "10") in [(label.en, text.en) for label, text in today.facts]
    assert time_left(NOTICE.due_on, "2026-11-01").en == "10 working days left", "as in the inbox"


def test_the_id_of_a_message_is_the_same_in_every_attempt_and_no_others() -> None:
    letter = notice_letter(NOTICE, CONTEXT)
    first, repeat = parsed(letter), parsed(letter, replace(MESSAGE, unknown=1, attempts=3))
    assert first["Message-ID"] == repeat["Message-ID"] == message_id(MESSAGE, SENDER)
    assert (first["Yesser-Repeat"], repeat["Yesser-Repeat"]) == (None, "2")
    changes: list[dict[str, Any]] = [{}, {"agency": "labour"}, {"team": "radio"}, {"kind": "reminder"}]
    changes += [{"event_id": "other"}, {"replay": True}, {"replay": True, "message_id": 8}, {"message_id": 8}]
    assert len({message_id(replace(MESSAGE, **change), SENDER) for change in changes}) == 7, "a replay has its own"


def test_a_campaign_that_is_acknowledged_says_by_whom_and_a_reminder_begins_with_what_is_missing() -> None:
    taken = replace(NOTICE, acknowledged=Acknowledgement("press-desk", "2026-11-02", 5))
    plain, _ = bodies(parsed(notice_letter(taken, CONTEXT)))
    assert "Acknowledged by press-desk on Monday 2 November 2026" in plain
    assert "yesser campaigns ack" not in plain
    air = "yesser campaigns air service-launched.i3 --channel tv --outlet-ar NAME --outlet-en NAME --reach NUMBER"
    assert air in plain
    reminder = notice_letter(replace(NOTICE, kind="reminder", missing=["tv"]), CONTEXT)
    assert [(label.en, text.en) for label, text in reminder.facts[:2]] == [
        ("Not aired on", "television"),
        ("State", "Not acknowledged"),
    ]


def test_an_urgent_campaign_says_so_where_the_team_must_act() -> None:
    urgent = replace(NOTICE, is_urgent=True)
    assert str(parsed(notice_letter(urgent, CONTEXT))["Subject"]).startswith("[عاجلة / Urgent] ")
    assert "Urgency: Urgent" in bodies(parsed(notice_letter(urgent, CONTEXT)))[0]
    completed = replace(urgent, kind="completed")
    assert not str(parsed(notice_letter(completed, CONTEXT))["Subject"]).startswith("[")


def test_a_digest_groups_the_campaigns_by_what_they_need_and_is_bounded() -> None:
    rows = [
        due_campaign("2026-10-30", service_name=APPOINTMENTS),
        due_campaign("2026-10-31"),
        due_campaign("2026-11-01", aired={"tv": 1, "print": 2}, acknowledged_by="desk"),
        due_campaign("2026-11-01", aired={"tv": 1, "print": 2}),
        due_campaign("2026-11-01", aired={"tv": 1, "print": 0}, acknowledged_by="desk"),
        *map(due_campaign, ("2026-11-02", "2026-11-08", "2026-11-09")),
        due_campaign("2026-11-05", is_paused=True),
        due_campaign("2026-10-01", is_completed=True),
    ]
    digest = digest_letter(rows, CONTEXT)
    assert [(heading.of("en"), count, len(shown)) for heading, count, shown in digest.groups] == [
        ("Launched without any airing, and overdue", 1, 1),
        ("Overdue", 3, 3),
        ("To complete", 1, 1),
        ("Due this week", 2, 2),
        ("Due later", 1, 1),
        ("Paused", 1, 1),
    ]
    assert [row.en for row in digest.groups[5][2]] == ["c.2026-11-05 · 2026-11-05"]
    assert digest.heading.en == "Weekly digest: 4 overdue, 2 due this week"
    assert digest.link == (OPEN_CONSOLE, f"{CONTEXT.console}campaigns")
    assert "Not aired on: print" in digest.groups[1][2][2].en
    assert "Not acknowledged" not in digest.groups[1][2][2].en
    many = digest_letter([due_campaign("2026-10-30", campaign_id=f"c{n}") for n in range(5_000)], CONTEXT)
    plain, html = bodies(parsed(many))
    assert len(html) < 100_000, "it is bounded"
    assert "Overdue (5000)" in plain
    assert "Overdue (5000)</h2>" in html
    assert html.count('<span style="white-space:nowrap">2026-10-30</span>') == html.count("2026-10-30") > 50
    assert "And 4950 more: `yesser campaigns inbox --agency health --team press`" in plain
    assert "No campaigns." in bodies(parsed(digest_letter([], CONTEXT)))[0]


@every("address", ["https://gateway.example", f"https://{'a-long-name.' * 8}example:8443"])
def test_every_letter_says_how_to_stop_in_both_languages_and_to_mail_programs(address: str) -> None:
    stop = f"{address}/mail/stop?token={'a_-9' * 10}abc"
    context = replace(CONTEXT, stop=stop, console=None)
    letters = every_letter(context)
    assert len(letters) == len(WORDINGS)
    for letter in letters:
        assert f"\r\nList-Unsubscribe: <{stop}>\r\n".encode() in raw(letter), "on one line, not encoded"
        assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw(letter)
        plain, html = bodies(parsed(letter))
        for label in ("To stop letters to this address", "لإيقاف الرسائل إلى هذا العنوان"):
            assert f"{label}: {stop}" in plain
            assert label in html
        assert html.count(stop) == 2
        for shown in (plain, html):
            assert "because this address is a contact of" in shown
            assert "لأن هذا العنوان من جهات الاتصال" in shown
    assert bodies(parsed(letters[0]))[1].count("<a ") == 2, "without a console there is no other link"
    plain_http = replace(CONTEXT, stop="http://127.0.0.1:8000/mail/stop?token=x")
    assert parsed(notice_letter(NOTICE, plain_http))["List-Unsubscribe-Post"] is None, "only an https link is posted to"


def test_a_letter_that_asks_has_no_text_of_the_teams() -> None:
    name = dict.fromkeys(("ar", "en"), "Buy at https://evil.example")
    context = replace(CONTEXT, team=replace(TEAM, name=name))
    message = parsed(confirmation_letter("https://gateway.example/mail/confirm?token=x", context))
    assert "evil" not in str(message["Subject"]) + "".join(bodies(message))
    assert "health/press" in bodies(message)[0]


def test_the_owner_of_a_disabled_endpoint_learns_why() -> None:
    plain, _ = bodies(parsed(endpoint_letter("ep_1", "failing", CONTEXT)))
    for words in (
        "its server has accepted nothing for days",
        "Repair it, then enable it as said below.",
        "فعّلوه كما هو مبيّن أدناه",
        "POST /v1/webhooks/ep_1/enable",
    ):
        assert words in plain


def test_each_notice_to_engineers_says_how_many_which_and_where_to_read_all_of_them() -> None:
    for name in NOTICE_NAMES:
        letter = topic_letter(name, FLOOD, CONTEXT, Bilingual("وزارة الصحة", "Ministry of Health"))
        text, _ = bodies(parsed(letter))
        for shown in (
            "وزارة الصحة (health)",
            "Ministry of Health (health)",
            "812",
            "Codes: unknown, A value is not valid (invalid-value)",
            "الأسباب: unknown، قيمة غير صالحة (invalid-value)",
            "Event: service.launched · Rule: It was launched before. (already-launched)",
            "k1",
            "GET https://g.example/v1/x",
            "https://c.example/x",
        ):
            assert shown in re.sub("[\u2066-\u2069]", "", text), (name, shown)
        assert "The first 3 of 812" in text
    for name, heading in (("notice.pause", "First wait"), ("notice.resumed", "The topic was not read")):
        text, _ = bodies(parsed(topic_letter(name, msgspec.structs.replace(FLOOD, count=3), CONTEXT)))
        assert "The first" not in text, "a letter about few things shows all of them"
        assert f"{heading}\n- Entry: 7" in text
