"""Services that a test launches for itself, and so its own campaigns: nobody else's pages change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.browser.console import Story
from tests.browser.lines import line, publish, registered

PLAN = "INBOX-PLAN"
ON = "2026-11-25"


@dataclass(frozen=True)
class Names:
    ar: str = "حجز العيادات"
    en: str = "Clinic bookings"


def launched(story: Story, service_id: str, names: Names | None = None) -> str:
    """A service of health's that is registered and launched; the id of its campaign, once it is in the log."""
    called = names or Names()
    url = f"https://health.example/{service_id}"
    launch: dict[str, Any] = {"service_id": service_id, "on": ON, "channels": ["web"], "url": url}
    publish(
        story,
        "health",
        registered(service_id, PLAN, {"ar": called.ar, "en": called.en}),
        line("service.launched", f"service/{service_id}", f"launched-{service_id}", ON, **launch),
    )
    (campaign,) = story.run("campaigns", "list", "--service", service_id)
    return str(campaign["campaign_id"])


def shown(story: Story, campaign_id: str) -> Any:
    """The campaign as the command shows it, once everything is applied."""
    story.settle()
    return story.run("campaigns", "show", campaign_id)
