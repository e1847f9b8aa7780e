"""A team, and a campaign that is due, as letters and calendars show it; what a letter is made with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from consumers.delivery.due_campaigns import DueCampaign, Team
from consumers.delivery.mail.letters import (
    Context,
    Letter,
    Notice,
    confirmation_letter,
    digest_letter,
    endpoint_letter,
    notice_letter,
    topic_letter,
)
from consumers.delivery.mail.message import Sender
from consumers.delivery.mail.wording import WORDINGS
from consumers.delivery.sending.route import Message
from consumers.documents.teams import notices
from consumers.documents.teams.notices import NOTICE_NAMES, NoticeItem

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
TEAM = Team("health", "press", {"ar": "مكتب الصحافة", "en": "Press desk"}, "ar")
APPOINTMENTS = {"ar": "المواعيد", "en": "Appointments"}
SENDER = Sender("campaigns@yesser.example")
STOP = f"https://gateway.example/mail/stop?token={'a' * 43}"
CONTEXT = Context(TEAM, "2026-11-02", STOP, "https://console.example/")
MESSAGE = Message(7, "email", "health", "press", None, "triggered", "e1", 4, "c.i1", False, attempts=0, created_at=NOW)
NOTICE = Notice(
    kind="triggered",
    campaign_id="service-launched.i3",
    due_on="2026-11-15",
    brief={"ar": "عرّفوا المواطنين بالخدمة.", "en": "Tell citizens about the service."},
    reason={"ar": "أُطلقت الخدمة.", "en": "The service was launched."},
    channels=["tv", "radio"],
    missing=["tv", "radio"],
    acknowledged=None,
    service_name=APPOINTMENTS,
    on="2026-11-01",
    index=4,
    values={
        "by": {"ar": "desk", "en": "desk"},
        "airing_id": {"ar": "tv-1", "en": "tv-1"},
        "reach": {"ar": "35000", "en": "35000"},
        "aired_on": {"ar": "التلفزيون", "en": "television"},
        "outlet": {"ar": "الأولى", "en": "One"},
    },
)

FLOOD = notices.Notice(
    agency="health",
    count=812,
    items=(
        NoticeItem(index=7, codes=("unknown", "invalid-value")),
        NoticeItem(expires_at=NOW, key_id="k1"),
        NoticeItem(index=8, type="sa.gov.yesser.service.launched.v1", rule="already-launched"),
    ),
    gateway="https://g.example/v1/x",
    console="https://c.example/x",
)
OF_A_CAMPAIGN = sorted(set(WORDINGS) - {"digest", "endpoint-disabled", "confirm-address", *NOTICE_NAMES})
"""The kinds of letters about one campaign."""


def every_letter(context: Context) -> list[Letter]:
    """One of each kind."""
    return [
        *(notice_letter(replace(NOTICE, kind=kind), context) for kind in OF_A_CAMPAIGN),
        digest_letter([], context),
        endpoint_letter("ep_1", "gone", context),
        confirmation_letter("https://gateway.example/mail/confirm?token=x", context),
        *(topic_letter(name, FLOOD, context) for name in NOTICE_NAMES),
    ]


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


def bodies(message: EmailMessage) -> tuple[str, str]:
    """A letter as plain text, and as HTML."""
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")
