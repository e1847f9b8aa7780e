"""The plan at a glance: the documents of `/v1/plan` and `/v1/pace` as the lines, cards and tables of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, cast
from urllib.parse import quote

from consumers.console.pages.plan.names import CHANNELS, ERAS, GROUPS, TRACKS, Name
from consumers.plan.pace import elapsed_days, expected
from events.values.calendar import CalendarName, DateOutOfRange, day_after, gregorian_of, year_of
from events.values.plan_figures import begun_and_completed

Document = Mapping[str, Any]
PARTNERSHIPS_SHOWN_MAX: Final = 12
PROJECTS_SHOWN_MAX: Final = 24
AGENCIES_SHOWN_MAX: Final = 40
TRAINING_SHOWN_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A figure against its target, and against what would be done by now at an even pace (None: not judged)."""

    name: Name
    done: int
    target: int
    expected: int | None
    why: str
    """The address of its explanation; "" for a sum of figures that each have their own."""
    more: str = ""
    """The address of its list."""
    long_name: Name | None = None

    @property
    def full(self) -> Name:
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


@dataclass(frozen=True, slots=True)
class Glance:
    """Everything on the page. `index`: the number of entries that it shows."""

    plan: Document
    pace: Document
    index: int
    infrastructure: Line
    applications: Line
    projects: Sequence[Document]
    projects_more: int
    begun: int
    services: Line
    groups: Sequence[tuple[Line, Document]]
    training: Sequence[tuple[str, int, Sequence[tuple[Line, Document]]]]
    """Calendar, year, its tracks."""
    training_shown: Sequence[tuple[str, int, Sequence[tuple[Line, Document]]]]
    """Of these, the years nearest to the day of measuring."""
    awareness: Sequence[Line]
    everywhere: Line
    """Services on all three channels."""
    partnerships: Sequence[tuple[Document, str]]
    """A partnership, and the address of the explanation of its net revenue."""
    partnerships_more: int
    late: Sequence[Line]
    why_anomalies: str
    why_refusals: str
    """Addresses of explanations, for those who see the whole log."""
    agencies: Sequence[Document]
    """Agencies with the most behind first."""
    agencies_more: int


def explanation(key: str, field: str, as_of_index: int | None = None) -> str:
    """The address of the page that shows the entries behind a figure of the plan. Parts of `key` are apart by `/`.

    `before` is as_of_index under another name: the page explains the figure after that many entries.
    """
    path = f"/explain/plan/{quote(key)}/{quote(field, safe='.')}"
    return path if as_of_index is None else f"{path}?before={as_of_index}"


def glance(plan: Document, pace: Document, as_of_index: int | None) -> Glance:
    """`as_of_index`: None where the page shows the present."""
    days, elapsed = pace["days"], pace["elapsed_days"]

    def due(whole: int) -> int | None:
        return expected(whole, elapsed, days) if pace["plan"] is not None else None

    def why(key: str, field: str) -> str:
        return explanation(key, field, as_of_index)

    found, apps, services = plan["infrastructure"], plan["national_applications"], plan["services"]
    infrastructure = Line(
        ("مشاريع البنى التحتية", "Infrastructure projects"),
        found["completed"],
        found["target"],
        due(found["target"]),
        why("infrastructure", "completed"),
        "/plan/projects#infrastructure",
    )
    projects = [
        {**project, "why": why(f"national_applications/{project['project_id']}", "completed")}
        for project in apps["projects"][:PROJECTS_SHOWN_MAX]
    ]
    begun, _ = begun_and_completed(apps["projects"])
    applications = _applications(apps["projects"], due)
    groups = [(_group(number, row, why), row) for number, row in services["groups"].items()]
    launched = Line(
        ("الخدمات المطلقة", "Services launched"),
        sum(row["launched"] for _, row in groups),
        services["target"],
        due(services["target"]),
        "",
        "/plan/services",
    )
    training = list(_training(plan["training"], pace["measured_on"], why))
    air = plan["awareness"]
    shown = plan["partnerships"][:PARTNERSHIPS_SHOWN_MAX]
    agencies = agencies_behind(pace["agencies"])[:AGENCIES_SHOWN_MAX]
    judged = [infrastructure, applications, launched, *(line for _, _, rows in training for line, _ in rows)]
    return Glance(
        plan=plan,
        pace=pace,
        index=plan["log_index"],
        infrastructure=infrastructure,
        applications=applications,
        projects=projects,
        projects_more=len(apps["projects"]) - len(projects),
        begun=begun,
        services=launched,
        groups=groups,
        training=training,
        training_shown=_nearest(training, pace["measured_on"]),
        awareness=[_aired(channel, air, why) for channel in air["aired"]],
        everywhere=Line(
            ("على الوسائل الثلاث", "On all three"),
            air["on_all_three"],
            air["launched_services"],
            None,
            why("awareness", "on_all_three"),
            long_name=_awareness(("على الوسائل الثلاث", "On all three")),
        ),
        partnerships=[(row, why(f"partnerships/{row['partnership_id']}", "net_halalas")) for row in shown],
        partnerships_more=plan.get("partnerships_count", len(plan["partnerships"])) - len(shown),
        late=[line for line in judged if line.state == "late"],
        why_anomalies=why("anomalies", "count"),
        why_refusals=why("refusals", "count"),
        agencies=agencies,
        agencies_more=len(pace["agencies"]) - len(agencies),
    )


def _applications(projects: Sequence[Document], due: Callable[[int], int | None]) -> Line:
    going = [project for project in projects if not project["cancelled"]]
    phases = sum(project["phases"] for project in going)
    return Line(
        ("مراحل التطبيقات الوطنية", "Phases of national applications"),
        sum(project["completed"] for project in going),
        phases,
        due(phases),
        "",
        "/plan/projects#national-application",
    )


def _group(number: str, row: Document, why: Any) -> Line:
    of_group = why(f"services/{number}", "launched")
    return Line(GROUPS[number], row["launched"], row["target"], None, of_group, f"/plan/services?group={number}")


def _aired(channel: str, air: Document, why: Any) -> Line:
    done, launched = air["aired"][channel], air["launched_services"]
    why_aired = why("awareness", f"aired.{channel}")
    return Line(CHANNELS[channel], done, launched, None, why_aired, "/plan/awareness", _awareness(CHANNELS[channel]))


def _awareness(name: Name) -> Name:
    return f"التوعية، {name[0]}", f"Awareness, {name[1].lower()}"


def _training(rows: Sequence[Document], on: str | None, why: Any) -> Any:
    for (calendar, year), found in groupby(rows, key=itemgetter("calendar", "year")):
        yield calendar, year, [(training_line(row, on, why), row) for row in found]


def _nearest(training: Sequence[Any], on: str | None) -> list[Any]:
    """The years nearest to a date, in their order: the one that runs, in each calendar, comes first to be shown."""

    def distance(number: int) -> int:
        calendar, year, _ = training[number]
        try:
            return len(training) - number if on is None else abs(year - year_of(on, cast(CalendarName, calendar)))
        except DateOutOfRange:
            return len(training) - number

    nearest = sorted(range(len(training)), key=distance)[:TRAINING_SHOWN_MAX]
    return [training[number] for number in sorted(nearest)]


def training_line(row: Document, on: str | None, why: Any = explanation) -> Line:
    """A track of a year against its quota, which is spread over the year."""
    key = f"training/{row['calendar']}/{row['year']}/{row['track']}"
    due = None if on is None else expected_by(row["quota"], row["calendar"], row["year"], on)
    arabic, english = TRACKS[row["track"]]
    era, era_en = ERAS[row["calendar"]]
    full = (f"تدريب {row['year']} {era}، {arabic}", f"Training {row['year']} {era_en}, {english.lower()}")
    return Line((arabic, english), row["net"], row["quota"], due, why(key, "net"), "/plan/training", full)


def expected_by(quota: int, calendar: str, year: int, on: str) -> int | None:
    """The part of a year's quota that is due on a date; None for a year outside the calendar's table."""
    named = cast(CalendarName, calendar)
    try:
        starts, ends = gregorian_of(year, 1, 1, named), day_after(gregorian_of(year + 1, 1, 1, named), -1)
    except (DateOutOfRange, ValueError):
        return None
    return expected(quota, elapsed_days(starts, ends, on), elapsed_days(starts, ends, ends))


def agencies_behind(rows: Sequence[Document]) -> list[dict[str, Any]]:
    """The agencies with `services_behind` and `phases_behind`, those with the most first."""
    found = [
        {
            **row,
            "services_behind": max(0, row["expected_launched"] - row["launched"]),
            "phases_behind": max(0, row["expected_completed"] - row["completed"]),
        }
        for row in rows
    ]
    return sorted(found, key=lambda row: (-row["services_behind"] - row["phases_behind"], row["agency"]))
