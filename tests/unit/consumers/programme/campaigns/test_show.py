"""Campaigns and coverage for people, in Arabic and English."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console, RenderableType

from consumers.programme.campaigns.next_step import next_command
from consumers.programme.campaigns.show import brief_parts, coverage_csv, coverage_tables, inbox_parts
from tests.world.campaigns import SERVICE, campaign, coverage, inbox_item

PROGRESS: dict[str, Any] = {
    "state": "acknowledged",
    "due_on": "2026-11-15",
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
    console = Console(file=output, width=120)
    for part in parts:
        console.print(part, markup=False, soft_wrap=isinstance(part, str))
    return output.getvalue()


def test_the_inbox_gives_what_is_late_first_with_the_next_command() -> None:
    late = {"campaign_id": "service-launched.i2", "overdue": True, "due_on": "2026-11-10", "escalated": True}
    rests = {"campaign_id": "service-launched.i3", "paused": True, "next_action": None}
    rows = [inbox_item(**PROGRESS), inbox_item(**PROGRESS | late), inbox_item(**PROGRESS | rests)]
    text = text_of(*inbox_parts(rows, TODAY))
    order = [text.index(name) for name in ("Overdue (1)", "service-launched.i2", "To do (1)", "Paused", "launched.i3")]
    assert order == sorted(order)
    for part in (
        *("الأحد 15 نوفمبر 2026 م (5 جمادى الآخرة 1448 هـ)", "Sunday 15 November 2026", "1 working day left"),
        *("due 2 days ago", "Escalated", "المواعيد", "Not aired on: Radio"),
        "Acknowledged by press-desk of health at 2026-11-02 01:30, entry 9.",  # the time is that of Riyadh
    ):
        assert part in text
    assert text.count("$ yesser campaigns air") == 2
    assert f"$ {next_command(rows[0])}" in text
    assert all(len(line) < 180 for line in text.splitlines()), "the brief is cut"
    assert "No open campaigns." in text_of(*inbox_parts([], TODAY))


def test_the_page_to_print_has_the_service_the_brief_the_airings_and_the_history() -> None:
    step = {"index": 9, "recorded": "2026-11-01T22:30:00.000000Z", "type": "awareness.campaign-acknowledged"}
    said = {"airing_id": None, "channel": None, "reach": None, "reason": None}
    airing = {"airing_id": "tv-1", "index": 10, "channel": "tv", "outlet": {"ar": "الأولى", "en": "One"}, "reach": 5}
    shown = PROGRESS | {
        "urgency": "high",
        "aired": {"tv": 2, "radio": 0, "print": 1},
        "airings": [airing | {"aired_on": "2026-11-03", "corrected_index": None}],
        "history": [
            step | said | {"agency": "health", "by": "press-desk", "anomaly": None},
            step | said | {"agency": "labour", "by": None, "anomaly": "not-owner"},
        ],
    }
    text = text_of(*brief_parts(campaign(**shown), TODAY))
    for part in (
        *("2 · 0 · 1", "https://health.example/a", "1 November 2026", "web", "again and", "It was launched."),
        *("press-desk", "2026-11-02 01:30", "One", "not-owner", "Urgent"),
    ):
        assert part in text
    assert "The log has more entries" not in text
    more = text_of(*brief_parts(campaign(**shown, more_history=True), TODAY))
    assert "The log has more entries about it: yesser log find --subject campaign/service-launched.i4" in more
    new: dict[str, Any] = {"service": None, "airings": [], "urgency": "normal", "acknowledged_at": None}
    general = text_of(*brief_parts(campaign(**shown | new), TODAY))
    assert [part in general for part in ("Urgent", "https://", "Not acknowledged yet.")] == [False, False, True]


def test_coverage_names_what_was_launched_in_silence_and_sums_by_agency() -> None:
    document = coverage()
    text = text_of(*coverage_tables(document))
    for part in ("S-1", "Radio, Print", "Television, Radio, Print", "Never aired", "لم تُبث", "Total"):
        assert part in text
    rows = coverage_csv(document.services).splitlines()
    assert len(rows) == 7
    assert rows[1] == "S-1,المواعيد,Appointments,health,P,1,2005-11-01,tv,2,70,2005-11-03,2"
    assert rows[4].endswith("tv,0,0,,")
