"""An event of the story as bytes. Its id, time and Hijri date are derived from its content, so that publishing it again
gives a duplicate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True, slots=True)
class EventHeader:
    """Sender, type and subject. `key` makes the event's id unique within its type."""

    agency: str
    type: str
    subject: str
    key: str
    on: str


def story_event(header: EventHeader, data: Data) -> StoryEvent:
    """The event. `hijridate` is the day in the Umm al-Qura calendar."""
    value = build_event(
        type=header.type,
        agency=header.agency,
        id=f"{header.type}:{header.key}",
        subject=header.subject,
        time=f"{header.on}{_TIME_OF_DAY}",
        data=data,
        hijridate=hijri_of(header.on),
    )
    return StoryEvent(header.agency, header.on, value)
