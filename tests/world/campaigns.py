"""A campaign as the read API answers it, and as documents."""

from __future__ import annotations

from typing import Any, Final

from consumers.documents.campaigns.campaigns import CHANNELS, CampaignAndHistory, Coverage, InboxItem
from consumers.documents.document import document_of

SERVICE: Final = {
    "service_id": "S-1",
    "name": {"ar": "المواعيد", "en": "Appointments"},
    "url": "https://health.example/a",
    "launched_on": "2026-11-01",
    "channels": ["web"],
}
CAMPAIGN: Final[dict[str, Any]] = {
    "campaign_id": "service-launched.i4",
    "rule": "service-launched",
    "kind": "specific",
    "cause_index": 4,
    "owner": "health",
    "service_id": "S-1",
    "channels": ["tv", "radio", "print"],
    "due_on": "2026-11-25",
    "state": "triggered",
    "paused": False,
    "escalated": False,
    "aired": {"tv": 0, "radio": 1, "print": 1},
    "reach": 1_234_567,
    "due_on_hijri": "1448-06-15",
    "missing_channels": ["tv"],
    "next_action": "acknowledge",
    "rules_version": 1,
    "brief": {"ar": "عرّفوا المواطنين", "en": "Tell citizens"},
    "reason": {"ar": "أُطلقت الخدمة", "en": "It was launched."},
    "urgency": "normal",
    "triggered_index": 5,
    "acknowledged_index": None,
    "acknowledged_by": None,
    "acknowledged_at": None,
    "completed_index": None,
    "service": None,
    "airings": [],
    "history": [],
    "more_history": False,
}


def campaign(**changed: Any) -> CampaignAndHistory:
    return document_of(CampaignAndHistory, CAMPAIGN, **changed)


def inbox_item(**changed: Any) -> InboxItem:
    return document_of(InboxItem, CAMPAIGN, **{"overdue": False, **changed})


def coverage() -> Coverage:
    """Two launched services of health: S-1 was aired twice on tv, S-2 never."""
    silent = {"airings": 0, "reach": 0, "first_aired_on": None, "days_to_first_airing": None}
    aired = {"airings": 2, "reach": 70, "first_aired_on": "2005-11-03", "days_to_first_airing": 2}
    about = {"name": SERVICE["name"], "agency": "health", "plan_id": "P", "group": 1, "launched_index": 7}
    services = [
        {
            "service_id": service_id,
            "launched_on": "2005-11-01",
            **about,
            **figures,
            "silent": figures is silent,
            "channels": dict.fromkeys(CHANNELS, silent) | {"tv": figures},
            "missing_channels": CHANNELS[figures is aired :],
        }
        for service_id, figures in (("S-1", aired), ("S-2", silent))
    ]
    counts = {"launched_services": 2, "on_all_three": 0, "silent": 1, "airings": 2, "reach": 70}
    total = counts | {"aired": {"tv": 1, "radio": 0, "print": 0}, "median_days_to_first_airing": 2}
    agencies = [{"agency": "health", **total}]
    return document_of(Coverage, {"log_index": 7, "services": services, "agencies": agencies, "total": total})
