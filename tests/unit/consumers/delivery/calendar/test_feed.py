"""The feed of due dates, parsed again as a calendar program does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from icalendar import Calendar

from consumers.delivery.calendar.routes import calendar_of
from consumers.delivery.due_campaigns import DueCampaign, Team
from events.values.personal_data import holds_personal_data
from tests.every import every
from tests.world.letters import APPOINTMENTS, NOW, TEAM, due_campaign

CAMPAIGN = due_campaign(
    "2026-11-15",
    campaign_id="service-launched.i3",
    brief={"ar": "عرّفوا المواطنين بالخدمة.", "en": "Tell citizens; see, the service."},
    service_name=APPOINTMENTS,
    last_index=4,
    aired={"tv": 0, "radio": 1},
)


def events(*campaigns: DueCampaign, team: Team = TEAM) -> list[Any]:
    raw = calendar_of(team, campaigns, "log.yesser.example/0", NOW, "https://console.example")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    return list(Calendar.from_ical(raw).walk("VEVENT"))


def test_a_campaign_is_an_all_day_event_on_its_due_date_in_both_languages() -> None:
    (event,) = events(CAMPAIGN)
    assert event.decoded("dtstart") == date(2026, 11, 15)
    assert event.decoded("dtend") == date(2026, 11, 16)
    assert event["uid"] == "service-launched.i3@log.yesser.example"
    assert event["sequence"] == 4
    assert event["status"] == "CONFIRMED"
    assert event["summary"] == "تُبث حتى 15 نوفمبر: المواعيد | Air by 15 November: Appointments"
    for words in (
        "Tell citizens; see, the service.",
        "Sunday 15 November 2026 (5 Jumada al-Thania 1448 AH)",
        "الأحد 15 نوفمبر 2026 م (5 جمادى الآخرة 1448 هـ)",
        "Not acknowledged.",
        "Not aired on: television.",
    ):
        assert words in event["description"]
    assert event["url"] == "https://console.example/campaigns/service-launched.i3"


@every(
    ("change", "status", "title"),
    [
        ({"is_completed": True}, "CONFIRMED", "✓ Completed"),
        ({"aired": {"tv": 1, "radio": 1}}, "CONFIRMED", "Aired, to complete"),
        ({"is_paused": True}, "TENTATIVE", "Paused"),
        ({"is_paused": True, "is_retired": True}, "CANCELLED", "Cancelled"),
    ],
)
def test_what_became_of_a_campaign_changes_the_same_event(change: dict[str, Any], status: str, title: str) -> None:
    (before,), (after,) = events(CAMPAIGN), events(replace(CAMPAIGN, last_index=9, **change))
    assert before["uid"] == after["uid"]
    assert after["sequence"] > before["sequence"]
    assert after["status"] == status
    assert f"{title}: Appointments" in after["summary"]


@every("hostile", ["A\r\nEND:VEVENT\r\nBEGIN:VALARM", "A;b,c\\n", "\u202eA", "x" * 2_000, "\x00A"])
def test_no_text_of_an_event_adds_a_line(hostile: str) -> None:
    text = {"ar": hostile, "en": hostile}
    team = replace(TEAM, name=text)
    (event,) = events(replace(CAMPAIGN, brief=text, service_name=text, acknowledged_by=hostile), team=team)
    assert {str(name).lower() for name in event} == {
        *("uid", "dtstamp", "dtstart", "dtend", "sequence", "summary", "description", "status", "transp", "url")
    }
    assert not event.subcomponents


def test_a_name_is_cut_and_never_gone_and_forms_no_national_id() -> None:
    long, marked = {"ar": "خ" * 200, "en": "x" * 200}, {"ar": "١٠٠٠٠\u200e٠٠٠٠٨", "en": "10000\u200b00008"}
    (event,) = events(replace(CAMPAIGN, service_name=long))
    assert f"Air by 15 November: {'x' * 79}…" in event["summary"]
    (event,) = events(replace(CAMPAIGN, service_name=marked, brief=marked, acknowledged_by=marked["en"]))
    assert "Air by 15 November: 10000 00008" in event["summary"]
    assert not holds_personal_data(event["summary"])
    assert not holds_personal_data(event["description"])
    assert events() == [], "an empty feed is a calendar"
