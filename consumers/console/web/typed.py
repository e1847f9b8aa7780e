"""What somebody typed into a form: days, times and amounts, in Western or Arabic digits."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Final

from consumers.console.web.language import western
from consumers.replay.as_of.point_in_time import RIYADH
from events.values.fields import DATE_PATTERN

_DAY: Final = re.compile(DATE_PATTERN.strip("^$"))
_HOUR: Final = re.compile(r"[T ]+([0-9]:)?")
_NUMBER: Final = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,2}))?")


def is_day(text: str) -> bool:
    """Whether it is a date that events can have."""
    return _DAY.fullmatch(text) is not None


def instant_of(text: str, of_day: time = time.min) -> datetime | None:
    """A time, in Riyadh where it names no offset; of a day alone the time `of_day`. None: it is neither."""
    plain = _HOUR.sub(lambda found: f"T0{found[1]}" if found[1] else "T", western(text).strip().upper())
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        return None
    if len(plain) == len("2006-03-01"):
        found = datetime.combine(found.date(), of_day)
    return found if found.tzinfo else found.replace(tzinfo=RIYADH)


def hundredths(text: str) -> int | None:
    """A number with at most two decimals in hundredths: `62.5` is 6250. None: it is no number."""
    found = _NUMBER.fullmatch(re.sub("[ ,%]", "", western(text)))
    if found is None:
        return None
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
