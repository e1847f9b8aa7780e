"""The second chapter: the agencies answer the campaigns that the platform triggered, on all three media (fact 10).

Flows in: the campaigns as `yesser campaigns list` prints them. Flows out: acknowledged, aired, completed. A campaign's
id contains the index of its cause, so this chapter needs the first one in the log.

Only the story's own agencies answer, and each answer depends on its campaign alone. Publishing the story again gives
the same events whatever other campaigns the log holds, and in another log the same but for the indexes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from events.values.data import Data
from producers.programme.chapter_one import OFFICE
from producers.programme.documents import Campaign
from producers.programme.story_event import Record, StoryEvent, read_records, story_event

CHANNELS: Final = ("tv", "radio", "print")
_REACH_SPREAD_PERMILLE: Final = 333


def chapter_two(campaigns: Sequence[Campaign]) -> list[StoryEvent]:
    """The agencies' answers to their campaigns, in date order."""
    launched = launched_services()
    events: list[StoryEvent] = []
    for campaign in sorted(campaigns, key=lambda row: (row.cause_index, row.campaign_id)):
        if _is_ours(campaign, launched):
            service = launched.get(campaign.service_id or "")
            events += answers(campaign.campaign_id, campaign, service["launched_on"] if service else None)
    return sorted(events, key=lambda event: event.on)


def answers(campaign_id: str, like: Campaign, starts_on: str | None) -> list[StoryEvent]:
    """Acknowledged, aired on each channel, completed; `like` has its owner, and what the answers vary by."""
    return list(_answered(campaign_id, like, starts_on))


def number_of(campaign: Campaign) -> int:
    """A number derived from the campaign's cause: the same in every log."""
    key = campaign.service_id or campaign.campaign_id.replace(f".i{campaign.cause_index}", "")
    return zlib.crc32(key.encode())


def launched_services() -> dict[str, Record]:
    """The services that the story launches, by id."""
    groups = read_records("services")["groups"]
    return {row["service_id"]: row for group in groups for row in group["services"] if "launched_on" in row}


def _is_ours(campaign: Campaign, launched: dict[str, Record]) -> bool:
    """Whether the story answers it: a campaign for one of its services, or a general one of one of its agencies.

    The reminders are of the third chapter.
    """
    owner, service_id = campaign.owner, campaign.service_id
    if campaign.campaign_id.startswith(f"{read_records('under_way')['rule']}."):
        return False
    if service_id is not None:
        return service_id in launched and launched[service_id]["agency"] == owner
    return owner == OFFICE or any(row["code"] == owner for row in read_records("agencies")["agencies"])


def _answered(campaign_id: str, like: Campaign, starts_on: str | None) -> Iterator[StoryEvent]:
    records, number = read_records("awareness")["answers"], number_of(like)
    first_day = date.fromisoformat(starts_on or records["general_on"])

    def event(what: str, key: str, after_days: int, data: Data) -> StoryEvent:
        on = (first_day + timedelta(after_days)).isoformat()
        thing, data = ("campaign", campaign_id), {"campaign_id": campaign_id, "on": on} | data
        return story_event(like.owner, f"awareness.campaign-{what}", thing, on, data, f"{campaign_id}{key}")

    yield event("acknowledged", "", records["acknowledged_after_days"], {"by": records["desk"]})
    for channel in CHANNELS:
        outlets = records["outlets"][channel]
        aired = {
            "airing_id": f"{channel}-1",
            "channel": channel,
            "outlet": outlets[number % len(outlets)],
            "reach": _reach(records["reach"][channel], number),
        }
        yield event("aired", f".{channel}-1", records["aired_after_days"][channel], aired)
    yield event("completed", "", records["completed_after_days"], {})


def _reach(usual: int, number: int) -> int:
    """The usual reach of a medium, varied by up to a third and fixed per campaign."""
    return usual * (1000 - number % _REACH_SPREAD_PERMILLE) // 1000
