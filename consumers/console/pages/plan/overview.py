"""The overview of the plan: the documents of `/v1/plan` and `/v1/pace` as the lines, cards and tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from consumers.api.reader import Reader
from consumers.api.resources.programme import pace_for, plan_for
from consumers.console.pages.plan.moment import Moment
from consumers.documents.campaigns.campaigns import Channel
from consumers.documents.document import Name, label_of
from consumers.documents.programme.plan import (
    AgencyPace,
    Application,
    Awareness,
    Calendar,
    Group,
    Pace,
    Plan,
    ServiceGroup,
    SharedRevenue,
    Training,
    aired_name,
    training_name,
)
from consumers.documents.programme.projects import ProjectKind
from consumers.programme.plan.pace import elapsed_days, expected
from events.values.bilingual import InTwoLanguages
from events.values.calendar import CalendarName, DateOutOfRange, day_after, gregorian_of, year_of
from events.values.plan_figures import COUNTED, begun_and_completed

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


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the page. `index`: the number of entries that it shows."""

    plan: Plan
    pace: Pace
    index: int
    infrastructure: Line
    applications: Line
    projects: Sequence[tuple[Application, str]]
    """A project, and the address of the explanation of its completed phases."""
    projects_more: int
    begun: int
    services: Line
    groups: Sequence[tuple[Line, ServiceGroup]]
    training: Sequence[Year]
    training_shown: Sequence[Year]
    """Of these, the years nearest to the day of measuring."""
    awareness: Sequence[Line]
    everywhere: Line
    """Services on all three channels."""
    partnerships: Sequence[tuple[SharedRevenue, str]]
    """A partnership, and the address of the explanation of its net revenue."""
    partnerships_more: int
    late: Sequence[Line]
    why_anomalies: str
    why_refusals: str
    """Addresses of explanations, for those who see the whole log."""
    agencies: Sequence[AgencyPace]
    """Agencies with the most behind first."""
    agencies_more: int


async def read_overview(reader: Reader, moment: Moment, partnerships_max: int | None = None) -> Overview:
    """The plan, and the pace after the same number of entries. All partnerships, or the first `partnerships_max`.
    Raises `Problem`."""
    plan = (await plan_for(reader, moment.index, moment.recorded, moment.occurred, partnerships_max)).document
    if moment.occurred is not None:
        pace = (await pace_for(reader, as_of_occurred=moment.occurred)).document
        return overview(plan, pace, None, is_explained=False)
    pace = (await pace_for(reader, plan.log_index)).document
    return overview(plan, pace, None if moment.is_now else plan.log_index)


def explanation(key: str, field: str, as_of_index: int | None = None) -> str:
    """The address of the page that shows the entries behind a figure of the plan. Parts of `key` are apart by `/`.

    `before` is as_of_index under another name: the page explains the figure after that many entries.
    """
    path = f"/explain/plan/{quote(key)}/{quote(field, safe='.')}"
    return path if as_of_index is None else f"{path}?before={as_of_index}"


def overview(plan: Plan, pace: Pace, as_of_index: int | None, *, is_explained: bool = True) -> Overview:
    """`as_of_index`: None where the page shows the present, or what had occurred by a date, which is not explained by
    the log in its order."""

    def due(whole: int) -> int | None:
        return expected(whole, pace.elapsed_days, pace.days) if pace.plan is not None else None

    def why(key: str, field: str) -> str:
        return explanation(key, field, as_of_index) if is_explained else ""

    found, apps, services = plan.infrastructure, plan.national_applications.projects, plan.services
    infrastructure = Line(
        ProjectKind.INFRASTRUCTURE,
        found.completed,
        found.target,
        due(found.target),
        why("infrastructure", "completed"),
        "/plan/projects#infrastructure",
    )
    projects = [
        (project, why(f"national_applications/{project.project_id}", "completed"))
        for project in apps[:PROJECTS_SHOWN_MAX]
    ]
    begun, finished = begun_and_completed(map(attrgetter(*COUNTED), apps))
    applications = Line(
        ProjectKind.NATIONAL_APPLICATION,
        finished,
        plan.national_applications.target,
        due(plan.national_applications.target),
        "",
        "/plan/projects#national-application",
    )
    groups = [(_group(group, services.groups[group.value], why), services.groups[group.value]) for group in Group]
    launched = Line(
        label_of(ServiceGroup, "launched"),
        sum(row.launched for _, row in groups),
        services.target,
        due(services.target),
        "",
        "/plan/services",
    )
    training = list(_training(plan.training, pace.measured_on, why))
    shown = plan.partnerships[:PARTNERSHIPS_SHOWN_MAX]
    agencies = agencies_behind(pace.agencies)[:AGENCIES_SHOWN_MAX]
    judged = [infrastructure, applications, launched, *(line for _, _, rows in training for line, _ in rows)]
    return Overview(
        plan=plan,
        pace=pace,
        index=plan.log_index,
        infrastructure=infrastructure,
        applications=applications,
        projects=projects,
        projects_more=len(apps) - len(projects),
        begun=begun,
        services=launched,
        groups=groups,
        training=training,
        training_shown=_nearest(training, pace.measured_on),
        awareness=[_aired(channel, plan.awareness, why) for channel in Channel],
        everywhere=_aired_everywhere(plan.awareness, why("awareness", "on_all_three")),
        partnerships=[(row, why(f"partnerships/{row.partnership_id}", "net_halalas")) for row in shown],
        partnerships_more=(plan.partnerships_count or len(plan.partnerships)) - len(shown),
        late=[line for line in judged if line.state == "late"],
        why_anomalies=why("anomalies", "count"),
        why_refusals=why("refusals", "count"),
        agencies=agencies,
        agencies_more=len(pace.agencies) - len(agencies),
    )


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
    return Line(row.track, row.net, row.quota, due, why(key, "net"), "/plan/training", training_name(row))


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
