"""Decides whether a campaign is escalated: pure, from its row and the log's size at the midnight after its due date.

The decision is that of the midnight, however late it is made: what was recorded afterwards does not count. It is
therefore the same after a restart, and the event's bytes are too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import asdict

from consumers.programme.campaigns.handlers.rules import campaign_event
from consumers.programme.campaigns.handlers.texts import fill
from consumers.programme.campaigns.rules.rule import Text
from events.values.bilingual import Bilingual, joined
from events.wire.entry import recorded_time
from infra.postgres.outbox import OutboxEvent

RIYADH: Final = "T00:00:00+03:00"

_CHANNELS: Final = {
    "tv": Bilingual("التلفزيون", "tv"),
    "radio": Bilingual("الإذاعة", "radio"),
    "print": Bilingual("الصحافة", "print"),
}
_NOT_ACKNOWLEDGED: Final = Bilingual(
    "انقضى الموعد {due_on} ولم تُستلم الحملة.",
    "The due date {due_on} has passed, and the campaign was not acknowledged.",
)
_NOT_AIRED: Final = Bilingual(
    "انقضى الموعد {due_on} ولم تُبث الحملة عبر: {channels}.",
    "The due date {due_on} has passed, and the campaign was not aired on: {channels}.",
)
_NEITHER: Final = Bilingual(
    "انقضى الموعد {due_on} ولم تُستلم الحملة، ولم تُبث عبر: {channels}.",
    "The due date {due_on} has passed, and the campaign was neither acknowledged nor aired on: {channels}.",
)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A campaign in the log whose due date has passed. `aired` gives the first airing's index of each channel that has
    one; `suspended_from` is the recorded date in Riyadh since which its service is suspended."""

    campaign_id: str
    rule: str
    rules_version: int
    cause_index: int
    kind: str
    owner: str
    service_id: str | None
    channels: list[str]
    due_on: str
    brief: Text
    acknowledged_index: int | None
    completed_index: int | None
    suspended_from: str | None
    aired: Mapping[str, int]
    urgency: str = "normal"


def midnight_after(due_on: str) -> datetime:
    """00:00 in Riyadh of the day after a date."""
    return datetime.fromisoformat(due_on + RIYADH) + timedelta(days=1)


def escalation(campaign: Overdue, size: int, today: str) -> OutboxEvent | None:
    """The campaign's escalation, or None where it has none. `size` entries were recorded by the midnight.

    Where its service was resumed meanwhile, the due date has moved, and that midnight is still to come.
    """

    def was_in_time(index: int | None) -> bool:
        return index is not None and index < size

    is_paused = campaign.suspended_from is not None and campaign.suspended_from <= campaign.due_on
    if campaign.due_on >= today or is_paused or was_in_time(campaign.completed_index):
        return None
    acknowledged = was_in_time(campaign.acknowledged_index)
    not_aired = [channel for channel in campaign.channels if not was_in_time(campaign.aired.get(channel))]
    if acknowledged and not not_aired:
        return None
    reason = _reason(campaign.due_on, not_aired, acknowledged=acknowledged)
    time = recorded_time(midnight_after(campaign.due_on))
    return campaign_event("escalated", campaign, time, campaign.cause_index, reason)


def _reason(due_on: str, not_aired: list[str], *, acknowledged: bool) -> Text:
    template = _NOT_AIRED if acknowledged else _NEITHER if not_aired else _NOT_ACKNOWLEDGED
    channels = joined(_CHANNELS[channel] for channel in not_aired)
    return fill(asdict(template), {"due_on": due_on, "channels": asdict(channels)})
