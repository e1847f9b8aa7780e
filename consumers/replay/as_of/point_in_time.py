"""A point in time: now, after a number of entries, as recorded by an instant, or as occurred by a date.

*As of a recorded time* equals as of an index, because recorded times grow with the index. *As of an occurred date*
takes, in log order, the entries that occurred on or before that date, whenever they were recorded. It excludes the
ledger, whose periods are closed in log order.

The options `--as-of-index`, `--as-of-recorded` and `--as-of-occurred`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

import click

from events.values.bilingual import Bilingual
from events.wire.entry import Entry, recorded_time
from infra.command_line.language import localized
from infra.command_line.parameters import date_option, gathered, index_option, time_option

RIYADH: Final = timezone(timedelta(hours=3))


@dataclass(frozen=True, slots=True)
class PointInTime:
    """At most one is given; none means now. `occurred` is a date `YYYY-MM-DD`."""

    index: int | None = None
    recorded: datetime | None = None
    occurred: str | None = None

    @property
    def is_now(self) -> bool:
        return self == NOW

    def words(self) -> str | None:
        """A title for people; None for now."""
        if self.occurred is not None:
            sentence = Bilingual("ما وقع حتى {} دون الدفتر", "Events that occurred by {}, without the ledger")
            return localized(sentence.format(self.occurred))
        if self.recorded is not None:
            recorded = recorded_time(self.recorded)
            return localized(Bilingual("كما كان السجل في {}", "As recorded by {}").format(recorded))
        if self.index is not None:
            return localized(Bilingual("بعد {:,} من القيود", "After {:,} log entries").format(self.index))
        return None


NOW: Final = PointInTime()


def occurred_on(entry: Entry) -> str:
    """The date on which an event occurred: its `on`, else the single `…_on` of its data, else the date of its `time`.

    A nested `…_on` (in a contract's terms) does not count. A time is converted to the date in Riyadh.
    """
    data = entry.data
    on: str | None = data.get("on")
    if on is not None:
        return on
    dates: list[str] = [value for name, value in data.items() if name.endswith("_on")]
    return dates[0] if len(dates) == 1 else riyadh_date_of(entry.time)


def midnight(on: str) -> datetime:
    """00:00 in Riyadh of a date."""
    return datetime.fromisoformat(on).replace(tzinfo=RIYADH)


def riyadh_date_of(time: str) -> str:
    """The civil date in Riyadh of an RFC 3339 time with any offset."""
    return datetime.fromisoformat(time.upper()).astimezone(RIYADH).date().isoformat()


def _point_in_time(as_of_index: int | None, as_of_recorded: datetime | None, as_of_occurred: str | None) -> PointInTime:
    if sum(option is not None for option in (as_of_index, as_of_recorded, as_of_occurred)) > 1:
        raise click.UsageError("Give only one of --as-of-index, --as-of-recorded and --as-of-occurred.")
    return PointInTime(as_of_index, as_of_recorded, as_of_occurred)


as_of_options: Final = gathered(
    "at",
    _point_in_time,
    index_option,
    click.option(
        "--as-of-recorded",
        metavar="TIME",
        callback=time_option,
        help="State as recorded by TIME, such as 2026-11-25T08:00:00+03:00.",
    ),
    click.option(
        "--as-of-occurred",
        metavar="DATE",
        callback=date_option,
        help="Only what had occurred by DATE, such as 2026-11-25, whenever it was recorded.",
    ),
)
"""The command receives the `PointInTime` that they name as `at`."""
