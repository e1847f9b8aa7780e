"""A notice of a campaign, and what a letter about it is made with."""

from __future__ import annotations

from datetime import UTC, datetime

from consumers.delivery.mail.letters import Context, Notice
from consumers.delivery.mail.message import Identity, Sender
from consumers.delivery.mail.queue import Claimed
from tests.unit.consumers.delivery.due import APPOINTMENTS, TEAM

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
SENDER = Sender("campaigns@yesser.example")
STOP = f"https://gateway.example/mail/stop?token={'a' * 43}"
CONTEXT = Context(TEAM, "2026-11-02", STOP, "https://console.example/")
IDENTITY = Identity("health", "press", "triggered", "triggered.c.i1", "c.i1")
CLAIMED = Claimed(
    *(7, 1, "health", "press", None, "triggered", "e1", 4, "c.i1", False),
    attempts=1,
    created_at=NOW,
    unknown=0,
    is_told=False,
)
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
        "aired_on": {"ar": "التلفزيون", "en": "television"},
        "outlet": {"ar": "الأولى", "en": "One"},
    },
)
