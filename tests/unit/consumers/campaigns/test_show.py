"""The list for the eye: every campaign in Arabic and English, on a narrow terminal too."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from consumers.campaigns.show import table

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


def printed(*rows: dict[str, Any]) -> str:
    output = StringIO()
    Console(file=output, width=80).print(table(rows))
    return output.getvalue()


def test_a_campaign_shows_who_must_act_by_when_and_what_was_done() -> None:
    text = printed(ROW)
    for part in ("service-launched.i4", "health · S-1", "2026-11-15", "2 · 0 · 1", "1,234,567"):
        assert part in text
    for word in ("acknowledged", "استُلمت", "paused", "موقوفة"):
        assert word in text
    assert "escalated" not in text


def test_a_general_campaign_shows_its_owner_alone() -> None:
    text = printed(ROW | {"service_id": None, "paused": False, "state": "completed"})
    assert "health ·" not in text
    assert "completed" in text
    assert "paused" not in text
