"""The third chapter: what is under way, so that each role has something to do.

Flows in: the campaigns as `yesser campaigns list` prints them. Flows out: reminders for the platform's outbox, the
answers to one of them, an event that contradicts the log, and one that is refused.

A campaign of a rule is due ten working days after its cause was recorded, so nothing in a fresh log is late. A reminder
has a date of its own, and is triggered as the timers trigger campaigns. What is late, they escalate by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from events.values.working_days import is_working_day, riyadh_date
from infra.postgres.outbox import OutboxEvent
from producers.programme.chapter_one import launch
from producers.programme.chapter_two import CHANNELS, answers, launched_services
from producers.programme.documents import Campaign
from producers.programme.story_event import Record, StoryEvent, picked, read_records

_RECORDS: Final = read_records("under_way")
REFUSED_ID: Final = f"service.launched:{_RECORDS['refused']['service_id']}.refused"


def reminders(campaigns: Sequence[Campaign], recorded: Callable[[int], str]) -> list[OutboxEvent]:
    """Those that the log lacks. `recorded` gives the recorded time of an entry."""
    known = {campaign.campaign_id for campaign in campaigns}
    return [
        _trigger(row, campaign, recorded(campaign.cause_index))
        for row, campaign in _launches(campaigns)
        if _campaign_id(campaign) not in known
    ]


def late(campaigns: Sequence[Campaign]) -> set[str]:
    """The ids of the reminders that are late from the beginning."""
    return {_campaign_id(campaign) for row, campaign in _launches(campaigns) if row["due_in_days"] < 0}


def chapter_three(campaigns: Sequence[Campaign]) -> list[StoryEvent]:
    """The late answers to a reminder, and an event that contradicts the log."""
    answered = [
        event
        for row, campaign in _launches(campaigns)
        if row["is_aired"]
        for event in answers(_campaign_id(campaign), campaign, None)[:-1]
    ]
    return [*answered, _launched(_RECORDS["contradicting"], "again")]


def refused() -> StoryEvent:
    """An event with a channel that there is not."""
    return _launched(_RECORDS["refused"], "refused")


def _launched(row: Record, key: str) -> StoryEvent:
    return launch(launched_services()[row["service_id"]] | row, row["on"], f"{row['service_id']}.{key}")


def _launches(campaigns: Sequence[Campaign]) -> Iterator[tuple[Record, Campaign]]:
    """The reminders, each with the campaign of its service's launch."""
    launches = {row.service_id: row for row in campaigns if row.campaign_id.startswith("service-launched.")}
    return ((row, launches[row["service_id"]]) for row in _RECORDS["reminders"])


def _campaign_id(launch: Campaign) -> str:
    return f"{_RECORDS['rule']}.i{launch.cause_index}"


def _trigger(row: Record, launch: Campaign, at: str) -> OutboxEvent:
    service, campaign_id = launched_services()[row["service_id"]], _campaign_id(launch)
    data = {
        **picked(_RECORDS, "rule", "reason"),
        "campaign_id": campaign_id,
        "rules_version": 1,
        "cause_index": launch.cause_index,
        "kind": "specific",
        "owner": launch.owner,
        "service_id": row["service_id"],
        "channels": list(CHANNELS),
        "due_on": _due_on(riyadh_date(at), row["due_in_days"]),
        "brief": {language: text.format(**service["name"]) for language, text in _RECORDS["brief"].items()},
    }
    subject = f"campaign/{campaign_id}"
    return OutboxEvent(f"triggered.{campaign_id}", "campaign.triggered", subject, data, at, launch.cause_index)


def _due_on(recorded_on: str, days: int) -> str:
    """So many days after a date, or on the last working day before that."""
    on = date.fromisoformat(recorded_on) + timedelta(days)
    while not is_working_day(on.isoformat()):
        on -= timedelta(days=1)
    return on.isoformat()
