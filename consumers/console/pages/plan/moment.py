"""Which state of the plan a page shows: now, after a number of entries, as the log was at a given time, or of what had
occurred by a date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Final, Literal
from urllib.parse import urlencode

from consumers.api.parameters import INTEGER_MAX
from consumers.console.web.language import western
from consumers.console.web.typed import instant_of
from events.values.working_days import riyadh_date
from events.wire.entry import recorded_time

_DIGITS: Final = re.compile("[0-9]{1,16}")
_FIRST: Final = datetime(1925, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2077, 12, 31, tzinfo=UTC)
"""The times that the read API takes. No log has an entry before or after them."""
_STEPS: Final = 50
"""How many steps of the links *earlier* and *later* lead from the first entry to the last."""
Fault = Literal["index", "time", "both"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What somebody asked for. `index`, `recorded` and `occurred` as the read API takes them; at most one is given.

    `typed_index` and `typed_time` are what is in the form. `fault`: what could not be read.
    """

    index: int | None = None
    recorded: str | None = None
    occurred: str | None = None
    typed_index: str = ""
    typed_time: str = ""
    by_occurrence: bool = False
    """Whether the time was chosen as the date by which events had occurred."""
    fault: Fault | None = None

    @property
    def is_now(self) -> bool:
        return self.index is None and self.recorded is None and self.occurred is None


def moment_of(as_of_index: str, as_of_recorded: str, by: str = "") -> Moment:
    """Reads the fields of the form, whose digits may be Arabic. A date is its last moment in Riyadh; a time without an
    offset is Riyadh's. `by`: `occurred`, where the time is the date by which events had occurred.
    """
    index, recorded = as_of_index.strip(), as_of_recorded.strip()
    typed = Moment(typed_index=index[:20], typed_time=recorded[:40], by_occurrence=by == "occurred")
    index = western(index)
    if index and recorded:
        return replace(typed, fault="both")
    if index:
        found = int(index) if _DIGITS.fullmatch(index) else None
        if found is None or found > INTEGER_MAX:
            return replace(typed, fault="index")
        return replace(typed, index=found)
    if recorded:
        recorded_at = _instant(recorded)
        if recorded_at is None:
            return replace(typed, fault="time")
        if typed.by_occurrence:
            return replace(typed, occurred=riyadh_date(recorded_at))
        return replace(typed, recorded=recorded_at)
    return typed


def _instant(text: str) -> str | None:
    """As the read API takes it, in UTC."""
    found = instant_of(text, time.max)
    return None if found is None else recorded_time(min(max(found, _FIRST), _LAST).astimezone(UTC))


def address(index: int | None, path: str = "/plan") -> str:
    """The address of a page after so many entries; None: now."""
    return path if index is None else f"{path}?{urlencode({'as_of_index': index})}"


def steps(index: int, size: int) -> Mapping[str, str | None]:
    """The links beside the slider: `first`, `earlier`, `later`, `newest`; None where there is nothing to go to."""
    step = max(1, size // _STEPS)
    return {
        "first": address(0) if index > 0 else None,
        "earlier": address(max(0, index - step)) if index > 0 else None,
        "later": address(min(size, index + step)) if index < size else None,
        "newest": address(None) if index < size else None,
    }
