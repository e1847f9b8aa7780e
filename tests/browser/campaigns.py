"""Services that a test launches for itself, and so its own campaigns: nobody else's pages change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.browser.console import Story

PLAN = "INBOX-PLAN"
ON = "2026-11-25"


@dataclass(frozen=True)
class Names:
    ar: str = "حجز العيادات"
    en: str = "Clinic bookings"


def launched(story: Story, service_id: str, names: Names | None = None) -> str:
    """A service of health's that is registered and launched; the id of its campaign, once it is in the log."""
    called = names or Names()
    name = {"ar": called.ar, "en": called.en}
    registered = {"service_id": service_id, "plan_id": PLAN, "group": 1, "name": name}
    launch = {"service_id": service_id, "on": ON, "channels": ["web"], "url": f"https://health.example/{service_id}"}
    path = story.system.home / f"{service_id}.ndjson"
    lines = [_event(service_id, "registered", registered), _event(service_id, "launched", launch)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    story.run("publish", str(path), "--agency", "health", "--wait")
    story.settle()
    (campaign,) = story.run("campaigns", "list", "--service", service_id)
    return str(campaign["campaign_id"])


def shown(story: Story, campaign_id: str) -> Any:
    """The campaign as the command shows it, once everything is applied."""
    story.settle()
    return story.run("campaigns", "show", campaign_id)


def _event(service_id: str, what: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{service_id}-{what}",
        "type": f"sa.gov.yesser.service.{what}.v1",
        "subject": f"service/{service_id}",
        "time": f"{ON}T09:30:00+03:00",
        "data": data,
    }
