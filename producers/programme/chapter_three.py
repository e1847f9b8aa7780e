"""The third chapter: what is under way, so that each role has something to do.

Flows in: the campaigns as `yesser campaigns list` prints them. Flows out: reminders for the platform's outbox, the
answers to one of them, an event that contradicts the log, and one that is refused.

A campaign of a rule is due ten working days after its cause was recorded, so nothing in a fresh log is late. A reminder
has a date of its own, and is triggered as the timers trigger campaigns. What is late, they escalate by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from events.values.working_days import is_working_day, riyadh_date
from infra.postgres.outbox import OutboxEvent
from producers.programme.chapter_two import CHANNELS, answers, launched_services
from producers.programme.documents import Campaign
from producers.programme.records import Record, picked, read_records
from producers.programme.story_event import EventHeader, StoryEvent, story_event

_RECORDS: Final = read_records("under_way")
REFUSED_ID: Final = f"service.launched:{_RECORDS['refused']['service_id']}.refused"


def reminders(campaigns: Sequence[Campaign], recorded: dict[int, str]) -> list[OutboxEvent]:
    """Those that the log lacks. `recorded`: the recorded time of each launch, by its entry."""
    known, launches = {campaign.campaign_id for campaign in campaigns}, launches_of(campaigns)
    triggers = (_trigger(row, launches[row["service_id"]], recorded) for row in _RECORDS["reminders"])
    return [event for event in triggers if event.data["campaign_id"] not in known]


def launches_of(campaigns: Sequence[Campaign]) -> dict[str, Campaign]:
    """The launch campaign of each service to be reminded of."""
    wanted = {row["service_id"] for row in _RECORDS["reminders"]}
    launches = (campaign for campaign in campaigns if campaign.campaign_id.startswith("service-launched."))
    return {launch.service_id: launch for launch in launches if launch.service_id in wanted and launch.service_id}


def late(campaigns: Sequence[Campaign]) -> set[str]:
    """The ids of the reminders that are late from the beginning."""
    launches = launches_of(campaigns)
    return {_campaign_id(launches[row["service_id"]]) for row in _RECORDS["reminders"] if row["due_in_days"] < 0}


def chapter_three(campaigns: Sequence[Campaign]) -> list[StoryEvent]:
    """The late answers to a reminder, and an event that contradicts the log."""
    launches, events = launches_of(campaigns), list[StoryEvent]()
    for row in _RECORDS["reminders"]:
        if row["is_aired"]:
            launch = launches[row["service_id"]]
            events += answers(_campaign_id(launch), launch, None)[:-1]
    again = _RECORDS["contradicting"]
    return [*events, _launched(launched_services()[again["service_id"]] | again, "again")]


def refused() -> StoryEvent:
    """An event with a channel that there is not."""
    row = _RECORDS["refused"]
    return _launched(launched_services()[row["service_id"]] | row, "refused")


def _launched(service: Record, key: str) -> StoryEvent:
    service_id, on = service["service_id"], service["on"]
    header = EventHeader(service["agency"], "service.launched", f"service/{service_id}", f"{service_id}.{key}", on)
    return story_event(header, picked(service, "service_id", "channels", "on"))


def _campaign_id(launch: Campaign) -> str:
    return f"{_RECORDS['rule']}.i{launch.cause_index}"


def _trigger(row: Record, launch: Campaign, recorded: dict[int, str]) -> OutboxEvent:
    service, campaign_id = launched_services()[row["service_id"]], _campaign_id(launch)
    at = recorded[launch.cause_index]
    data = {
        "campaign_id": campaign_id,
        "rule": _RECORDS["rule"],
        "rules_version": 1,
        "cause_index": launch.cause_index,
        "kind": "specific",
        "owner": launch.owner,
        "service_id": row["service_id"],
        "channels": list(CHANNELS),
        "due_on": _due_on(riyadh_date(at), row["due_in_days"]),
        "brief": {language: text.format(**service["name"]) for language, text in _RECORDS["brief"].items()},
        "reason": _RECORDS["reason"],
    }
    subject = f"campaign/{campaign_id}"
    return OutboxEvent(f"triggered.{campaign_id}", "campaign.triggered", subject, data, at, launch.cause_index)


def _due_on(recorded_on: str, days: int) -> str:
    """So many days after a date, or on the last working day before that."""
    on = date.fromisoformat(recorded_on) + timedelta(days)
    while not is_working_day(on.isoformat()):
        on -= timedelta(days=1)
    return on.isoformat()
