"""The overview of the plan: which state of it is shown, and the documents of `/v1/plan` and `/v1/pace` as the lines,
cards, tables and the chart of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import accumulate, count, groupby
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

from consumers.api.parameters import INTEGER_MAX
from consumers.api.reader import Reader
from consumers.api.resources.programme import pace_for, plan_for
from consumers.console.web.language import instant_of, western
from consumers.documents.campaigns.campaigns import Channel
from consumers.documents.document import Name, label_of
from consumers.documents.programme.directory import ProjectKind
from consumers.documents.programme.plan import (
    AgencyPace,
    Awareness,
    Calendar,
    Group,
    Launches,
    Pace,
    Plan,
    ServiceGroup,
    Training,
    aired_name,
    training_name,
)
from consumers.programme.plan.pace import elapsed_days, expected
from events.values.bilingual import InTwoLanguages
from events.values.calendar import CalendarName, DateOutOfRange, day_after, gregorian_of, year_of
from events.values.plan_figures import COUNTED, begun_and_completed
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


WIDTH: Final = 640
HEIGHT: Final = 240
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 28
_TICKS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Chart:
    """`launched` and `even` are the points of lines, `x, y` each. Marks are a position and the text there."""

    launched: str
    even: str
    today_x: int
    years: Sequence[tuple[int, int]]
    counts: Sequence[tuple[int, int]]
    rows: Sequence[tuple[str, int, int]]
    """Month, launched in it, launched by its end: the table beside the chart."""


def launches_chart(pace: Pace, target: int) -> Chart | None:
    """None without a plan, or without a launch in its time."""
    plan, rows = pace.plan, totals(pace.launches)
    if plan is None or pace.measured_on is None or not rows or pace.days < 2:
        return None
    starts, days = date.fromisoformat(plan.starts_on), pace.days
    top = max(target, rows[-1][2], 1)

    def x(on: date) -> int:
        day = min(max((on - starts).days, 0), days)
        return LEFT + (WIDTH - LEFT - RIGHT) * day // days

    def y(count: int) -> int:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count // top

    today = date.fromisoformat(pace.measured_on)
    points, before = [(x(starts), y(0))], 0
    for month, _, total in rows:
        first = date.fromisoformat(f"{month}-01")
        next_month = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        points += [(x(first), y(before)), (x(min(next_month, max(today, first))), y(total))]
        before = total
    points.append((max(points[-1][0], x(today)), y(before)))
    ends = date.fromisoformat(plan.ends_on)
    return Chart(
        launched=_points(points),
        even=_points([(x(starts), y(0)), (WIDTH - RIGHT, y(target))]),
        today_x=x(today),
        years=[(x(date(year, 1, 1)), year) for year in range(starts.year + 1, ends.year + 1)],
        counts=[(y(count), count) for count in range(0, top + 1, round_step(top))],
        rows=rows,
    )


def round_step(top: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that leads from 0 to `top` in at most `_TICKS_MAX` steps."""
    steps = (digit * 10**tens for tens in count() for digit in (1, 2, 5))
    found: int = next(step for step in steps if step * _TICKS_MAX >= top)
    return found


def totals(launches: Sequence[Launches]) -> list[tuple[str, int, int]]:
    """Month, launched in it, launched by its end."""
    sums = accumulate(row.launched for row in launches)
    return [(row.month, row.launched, total) for row, total in zip(launches, sums, strict=True)]


def _points(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


PARTNERSHIPS_SHOWN_MAX: Final = 12
PROJECTS_SHOWN_MAX: Final = 24
AGENCIES_SHOWN_MAX: Final = 40
TRAINING_SHOWN_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A figure against its target, and against what would be done by now at an even pace (None: not judged)."""

    name: InTwoLanguages
    done: int
    target: int
    expected: int | None
    why: str
    """The address of its explanation; "" for a sum of figures that each have their own."""
    more: str = ""
    """The address of its list."""
    long_name: Name | None = None

    @property
    def full(self) -> InTwoLanguages:
        """The name where no heading is above it."""
        return self.long_name or self.name

    @property
    def behind(self) -> int:
        return max(0, (self.expected or 0) - self.done)

    @property
    def state(self) -> str:
        """`done`, `late`, `ok`, or `open` where nothing is due."""
        if self.target and self.done >= self.target:
            return "done"
        if self.expected is None or not self.target:
            return "open"
        return "late" if self.behind else "ok"


Year: TypeAlias = tuple[Calendar, int, Sequence[tuple[Line, Training]]]
"""Calendar, year, its tracks."""


async def read_overview(reader: Reader, moment: Moment, partnerships_max: int | None = None) -> Overview:
    """The plan, and the pace after the same number of entries. All partnerships, or the first `partnerships_max`.
    Raises `Problem`."""
    plan = (await plan_for(reader, moment.index, moment.recorded, moment.occurred, partnerships_max)).document
    if moment.occurred is not None:
        pace = (await pace_for(reader, as_of_occurred=moment.occurred)).document
        return Overview(plan, pace, None, is_explained=False)
    pace = (await pace_for(reader, plan.log_index)).document
    return Overview(plan, pace, None if moment.is_now else plan.log_index)


def explanation(key: str, field: str, as_of_index: int | None = None) -> str:
    """The address of the page that shows the entries behind a figure of the plan. Parts of `key` are apart by `/`.

    `before` is as_of_index under another name: the page explains the figure after that many entries.
    """
    path = f"/explain/plan/{quote(key)}/{quote(field, safe='.')}"
    return path if as_of_index is None else f"{path}?before={as_of_index}"


class Overview:
    """Everything on the page."""

    def __init__(self, plan: Plan, pace: Pace, as_of_index: int | None, *, is_explained: bool = True) -> None:
        """`as_of_index`: None where the page shows the present, or what had occurred by a date, which is not explained
        by the log in its order."""

        def why(key: str, field: str) -> str:
            return explanation(key, field, as_of_index) if is_explained else ""

        def line(name: InTwoLanguages, done: int, target: int, why: str, more: str) -> Line:
            due = None if pace.plan is None else expected(target, pace.elapsed_days, pace.days)
            return Line(name, done, target, due, why, more)

        found, apps, services = plan.infrastructure, plan.national_applications, plan.services
        self.plan, self.pace, self.index = plan, pace, plan.log_index
        why_completed = why("infrastructure", "completed")
        name, more = ProjectKind.INFRASTRUCTURE, "/plan/projects#infrastructure"
        self.infrastructure = line(name, found.completed, found.target, why_completed, more)
        self.begun, finished = begun_and_completed(map(attrgetter(*COUNTED), apps.projects))
        name, more = ProjectKind.NATIONAL_APPLICATION, "/plan/projects#national-application"
        self.applications = line(name, finished, apps.target, "", more)
        # Each with the address of the explanation of its completed phases.
        self.projects = [
            (project, why(f"national_applications/{project.project_id}", "completed"))
            for project in apps.projects[:PROJECTS_SHOWN_MAX]
        ]
        self.projects_more = len(apps.projects) - len(self.projects)
        of_groups = [(group, services.groups[group.value]) for group in Group]
        self.groups = [(_group(group, row, why), row) for group, row in of_groups]
        launched = sum(row.launched for _, row in of_groups)
        self.services = line(label_of(ServiceGroup, "launched"), launched, services.target, "", "/plan/services")
        self.training = list(_training(plan.training, pace.measured_on, why))
        self.training_shown = _nearest(self.training, pace.measured_on)
        self.awareness = [_aired(channel, plan.awareness, why) for channel in Channel]
        self.everywhere = _aired_everywhere(plan.awareness, why("awareness", "on_all_three"))
        # Each with the address of the explanation of its net revenue.
        shown = plan.partnerships[:PARTNERSHIPS_SHOWN_MAX]
        self.partnerships = [(row, why(f"partnerships/{row.partnership_id}", "net_halalas")) for row in shown]
        self.partnerships_more = (plan.partnerships_count or len(plan.partnerships)) - len(shown)
        of_training = [line for _, _, rows in self.training for line, _ in rows]
        judged = [self.infrastructure, self.applications, self.services, *of_training]
        self.late = [line for line in judged if line.state == "late"]
        # For those who see the whole log.
        self.why_anomalies, self.why_refusals = why("anomalies", "count"), why("refusals", "count")
        self.agencies = agencies_behind(pace.agencies)[:AGENCIES_SHOWN_MAX]
        self.agencies_more = len(pace.agencies) - len(self.agencies)


def _aired_everywhere(aired: Awareness, why: str) -> Line:
    name = label_of(Awareness, "on_all_three")
    return Line(name, aired.on_all_three, aired.launched_services, None, why, long_name=aired_name(name))


def _group(group: Group, row: ServiceGroup, why: Any) -> Line:
    of_group = why(f"services/{group.value}", "launched")
    return Line(group, row.launched, row.target, None, of_group, f"/plan/services?group={group.value}")


def _aired(channel: Channel, air: Awareness, why: Any) -> Line:
    done = getattr(air.aired, channel.value)
    why_aired = why("awareness", f"aired.{channel.value}")
    return Line(channel, done, air.launched_services, None, why_aired, "/plan/awareness", aired_name(channel))


def _training(rows: Sequence[Training], on: str | None, why: Any) -> Iterator[Year]:
    for (calendar, year), found in groupby(rows, key=attrgetter("calendar", "year")):
        yield calendar, year, [(training_line(row, on, why), row) for row in found]


def _nearest(training: Sequence[Year], on: str | None) -> list[Year]:
    """The years nearest to a date, in their order: the one that runs, in each calendar, comes first to be shown."""

    def distance(number: int) -> int:
        calendar, year, _ = training[number]
        try:
            return len(training) - number if on is None else abs(year - year_of(on, calendar.value))
        except DateOutOfRange:
            return len(training) - number

    nearest = sorted(range(len(training)), key=distance)[:TRAINING_SHOWN_MAX]
    return [training[number] for number in sorted(nearest)]


def training_line(row: Training, on: str | None, why: Any = explanation) -> Line:
    """A track of a year against its quota, which is spread over the year."""
    key = f"training/{row.calendar.value}/{row.year}/{row.track.value}"
    due = None if on is None else expected_by(row.quota, row.calendar.value, row.year, on)
    name = training_name(row.calendar, row.year, row.track)
    return Line(row.track, row.net, row.quota, due, why(key, "net"), "/plan/training", name)


def expected_by(quota: int, calendar: CalendarName, year: int, on: str) -> int | None:
    """The part of a year's quota that is due on a date; None for a year outside the calendar's table."""
    try:
        starts, ends = gregorian_of(year, 1, 1, calendar), day_after(gregorian_of(year + 1, 1, 1, calendar), -1)
    except (DateOutOfRange, ValueError):
        return None
    return expected(quota, elapsed_days(starts, ends, on), elapsed_days(starts, ends, ends))


def agencies_behind(rows: Iterable[AgencyPace]) -> list[AgencyPace]:
    """The agencies with the most behind first."""
    return sorted(rows, key=lambda row: (-row.services_behind - row.phases_behind, row.agency))
