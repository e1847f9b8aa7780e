"""An event of the story as bytes. Its id, time and Hijri date are derived from its content, so that publishing it again
gives a duplicate.

The story's data files have the facts of the programme, with assumptions marked: `fact` names the fact of the published
interview that a row comes from; `assumed` marks what the interview does not give: true for the whole row, else field
names. No event contains these marks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from events.values.calendar import hijri_of
from events.values.data import Data
from events.wire.codec import build_event

_TIME_OF_DAY: Final = "T09:00:00+03:00"


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """An agency's event and the day on which it happened."""

    agency: str
    on: str
    value: bytes


def story_event(agency: str, type: str, thing: tuple[str, str], on: str, data: Data, key: str = "") -> StoryEvent:
    """An event about a thing, which is its kind and its id. `key` makes the event's id unique within its type; without
    one it is the thing's. `hijridate` is the day in the Umm al-Qura calendar."""
    value = build_event(
        type=type,
        agency=agency,
        id=f"{type}:{key or thing[1]}",
        subject="/".join(thing),
        time=f"{on}{_TIME_OF_DAY}",
        data=data,
        hijridate=hijri_of(on),
    )
    return StoryEvent(agency, on, value)


Record = dict[str, Any]


def read_records(name: str) -> Record:
    """One of the files."""
    text = files("producers.programme").joinpath("story", f"{name}.json").read_text(encoding="utf-8")
    records: Record = json.loads(text)
    return records


def picked(record: Record, *names: str) -> Record:
    """The members that go into an event, without the file's own marks and keys."""
    return {name: record[name] for name in names}
