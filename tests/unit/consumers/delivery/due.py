"""A team, and a campaign that is due, as letters and calendars show it."""

from __future__ import annotations

from typing import Any

from consumers.delivery.due_campaigns import DueCampaign, Team

TEAM = Team("health", "press", {"ar": "مكتب الصحافة", "en": "Press desk"}, "ar")
APPOINTMENTS = {"ar": "المواعيد", "en": "Appointments"}


def due_campaign(due_on: str, **more: Any) -> DueCampaign:
    row: dict[str, Any] = {
        "campaign_id": f"c.{due_on}",
        "due_on": due_on,
        "brief": {"ar": "مطلوب", "en": "Brief"},
        "service_name": None,
        "last_index": 1,
        "acknowledged_by": None,
        "is_completed": False,
        "is_paused": False,
        "is_retired": False,
        "aired": {"tv": 0, "print": 0},
    }
    return DueCampaign(**(row | more))
