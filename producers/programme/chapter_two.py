"""The second chapter: the agencies answer the campaigns that the platform triggered, on all three media (fact 10).

Flows in: the campaigns as `yesser campaigns list` prints them. Flows out: acknowledged, aired, completed. A campaign's
id holds the index of its cause, so this chapter cannot be written before the first one is in the log; for a given log
it is always the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from producers.programme.records import Record, read_records
from producers.programme.told import Saying, Told, tell

CHANNELS: Final = ("tv", "radio", "print")
_REACH_STEP_PERMILLE: Final = 37


@dataclass(frozen=True, slots=True)
class Answer:
    """One campaign and how it is answered; `number` varies outlets and reach from campaign to campaign."""

    campaign_id: str
    owner: str
    number: int
    starts_on: str


def chapter_two(campaigns: Sequence[dict[str, Any]]) -> list[Told]:
    """What the owners say of these campaigns, in the order of its days."""
    records = read_records("awareness")["answers"]
    launched_on = {
        service["service_id"]: service["launched_on"]
        for group in read_records("services")["groups"]
        for service in group["services"]
        if "launched_on" in service
    }
    told: list[Told] = []
    for number, campaign in enumerate(sorted(campaigns, key=lambda row: (row["cause_index"], row["campaign_id"]))):
        starts_on = launched_on.get(campaign["service_id"] or "", records["general_on"])
        told += _answered(Answer(campaign["campaign_id"], campaign["owner"], number, starts_on), records)
    return sorted(told, key=lambda event: event.on)


def _answered(answer: Answer, records: Record) -> Iterator[Told]:
    yield _said(answer, "acknowledged", "", records["acknowledged_after_days"], {"by": records["desk"]})
    for channel in CHANNELS:
        outlets = records["outlets"][channel]
        aired = {
            "airing_id": f"{channel}-1",
            "channel": channel,
            "outlet": outlets[answer.number % len(outlets)],
            "reach": _reach(records["reach"][channel], answer.number),
        }
        yield _said(answer, "aired", f".{channel}-1", records["aired_after_days"][channel], aired)
    yield _said(answer, "completed", "", records["completed_after_days"], {})


def _said(answer: Answer, what: str, key: str, after_days: int, data: dict[str, Any]) -> Told:
    on = (date.fromisoformat(answer.starts_on) + timedelta(after_days)).isoformat()
    campaign_id = answer.campaign_id
    return tell(
        Saying(answer.owner, f"awareness.campaign-{what}", f"campaign/{campaign_id}", f"{campaign_id}{key}", on),
        {"campaign_id": campaign_id, "on": on} | data,
    )


def _reach(usual: int, number: int) -> int:
    """The usual reach of a medium, varied by up to a third, the same for the same campaign."""
    return usual * (1000 - number * _REACH_STEP_PERMILLE % 333) // 1000
