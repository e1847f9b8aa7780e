"""The list for the eye: every campaign in Arabic and English, on a narrow terminal too."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console, RenderableType

from consumers.campaigns.coverage.show import coverage_csv, coverage_tables
from consumers.campaigns.next_step import next_command
from consumers.campaigns.show import brief_parts, inbox_parts, table

ROW: dict[str, Any] = {
    "campaign_id": "service-launched.i4",
    "owner": "health",
    "service_id": "S-1",
    "due_on": "2026-11-15",
    "state": "acknowledged",
    "paused": True,
    "escalated": False,
    "aired": {"tv": 2, "radio": 0, "print": 1},
    "reach": 1_234_567,
}


SERVICE = {
    "service_id": "S-1",
    "name": {"ar": "المواعيد", "en": "Appointments"},
    "url": "https://health.example/a",
    "launched_on": "2026-11-01",
    "channels": ["web"],
}
OPEN = ROW | {
    "due_on_hijri": "1448-06-05",
    "paused": False,
    "overdue": False,
    "channels": ["tv", "radio", "print"],
    "missing_channels": ["radio"],
    "next_action": "air",
    "acknowledged_index": 9,
    "acknowledged_by": "press-desk",
    "acknowledged_at": "2026-11-01T22:30:00.000000Z",
    "brief": {"ar": "عرّفوا المواطنين", "en": "Tell citizens " + "again and " * 40},
    "service": SERVICE,
}
TODAY = "2026-11-12"


def text_of(*parts: RenderableType) -> str:
    output = StringIO()
    console = Console(file=output, width=80)
    for part in parts:
        console.print(part, markup=False, soft_wrap=isinstance(part, str))
    return output.getvalue()


def test_a_campaign_shows_who_must_act_by_when_and_what_was_done() -> None:
    text = text_of(table([ROW]))
    for part in ("service-launched.i4", "health · S-1", "2026-11-15", "2 · 0 · 1", "1,234,567"):
        assert part in text
    for word in ("acknowledged", "استُلمت", "paused", "موقوفة"):
        assert word in text
    assert "escalated" not in text


def test_a_general_campaign_shows_its_owner_alone() -> None:
    text = text_of(table([ROW | {"service_id": None, "paused": False, "state": "completed"}]))
    assert "health ·" not in text
    assert "completed" in text
    assert "paused" not in text


def test_the_inbox_gives_what_is_late_first_with_the_next_command() -> None:
    late = OPEN | {"campaign_id": "service-launched.i2", "overdue": True, "due_on": "2026-11-10", "escalated": True}
    rests = OPEN | {"campaign_id": "service-launched.i3", "paused": True, "next_action": None}
    text = text_of(*inbox_parts([late, OPEN, rests], TODAY))
    order = [text.index(name) for name in ("Overdue (1)", "service-launched.i2", "To do (1)", "Paused", "launched.i3")]
    assert order == sorted(order)
    for part in (
        "الأحد 15 نوفمبر 2026 م (5 جمادى الآخرة 1448 هـ)",
        "Sunday 15 November 2026",
        "1 working day left",
        "2 days late",
        "escalated",
        "المواعيد",
    ):
        assert part in text
    assert "Acknowledged by press-desk (health) at 2026-11-02 01:30, entry 9." in text, "the time is that of Riyadh"
    assert "Not aired yet on: radio" in text
    assert text.count("$ yesser campaigns air") == 2
    assert f"$ {next_command(OPEN)}" in text
    assert all(len(line) < 180 for line in text.splitlines()), "the brief is cut"


def test_an_empty_inbox_says_so() -> None:
    assert "No open campaigns." in text_of(*inbox_parts([], TODAY))


def test_the_page_to_print_has_the_service_the_brief_the_airings_and_the_history() -> None:
    step = {"index": 9, "recorded": "2026-11-01T22:30:00.000000Z", "type": "awareness.campaign-acknowledged"}
    airing = {
        "aired_on": "2026-11-03",
        "channel": "tv",
        "outlet": {"ar": "الأولى", "en": "One"},
        "reach": 5,
        "index": 10,
    }
    shown = OPEN | {
        "reason": {"ar": "أُطلقت الخدمة", "en": "It was launched."},
        "urgency": "high",
        "airings": [airing],
        "history": [
            step | {"agency": "health", "by": "press-desk", "channel": None, "anomaly": None},
            step | {"agency": "labour", "by": None, "channel": None, "anomaly": "not-owner"},
        ],
    }
    text = text_of(*brief_parts(shown, TODAY))
    for part in (
        "https://health.example/a",
        "1 November 2026",
        "web",
        "again and",
        "It was launched.",
        "press-desk",
        "One",
    ):
        assert part in text
    assert "Urgent" in text
    assert "The log has more entries" not in text
    more = text_of(*brief_parts(shown | {"more_history": True}, TODAY))
    assert "The log has more entries about it: yesser log find --subject campaign/service-launched.i4" in more
    assert "changed nothing: not-owner" in " ".join(text.split())
    general = text_of(*brief_parts(shown | {"service": None, "airings": [], "urgency": "normal"}, TODAY))
    assert "Urgent" not in general
    assert "https://" not in general


def test_coverage_names_what_was_launched_in_silence_and_sums_by_agency() -> None:
    nothing = {"airings": 0, "reach": 0, "first_aired_on": None, "days_to_first_airing": None}
    aired = {"airings": 2, "reach": 70, "first_aired_on": "2026-11-03", "days_to_first_airing": 2}
    about = {"agency": "health", "plan_id": "P", "group": 1, "launched_on": "2026-11-01"}
    service = {"service_id": "S-1", "name": SERVICE["name"], **about, "reach": 70, "days_to_first_airing": 2}
    silent = service | {
        "service_id": "S-2",
        "silent": True,
        "channels": dict.fromkeys(("tv", "radio", "print"), nothing),
    }
    covered = service | {"silent": False, "channels": {"tv": aired, "radio": nothing, "print": nothing}}
    counts = {"launched_services": 2, "on_all_three": 0, "silent": 1, "airings": 2, "reach": 70}
    figures = counts | {"median_days_to_first_airing": 2}
    document: dict[str, Any] = {
        "services": [covered, silent],
        "agencies": [{"agency": "health", **figures}],
        "total": figures,
    }
    text = text_of(*coverage_tables(document))
    for part in ("S-1", "2 · 0 · 0", "silent", "لم تُبث", "Total"):
        assert part in text
    rows = coverage_csv(document["services"]).splitlines()
    assert len(rows) == 7
    assert rows[1] == "S-1,المواعيد,Appointments,health,P,1,2026-11-01,tv,2,70,2026-11-03,2"
    assert rows[4].endswith("tv,0,0,,")
