"""The plan at a glance, and the plan against the calendar (events.md §5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from consumers.documents.campaigns.campaigns import OnChannels
from consumers.documents.document import (
    AgencyCode,
    Count,
    Date,
    Halalas,
    Label,
    Labelled,
    Listing,
    Name,
    Period,
    ProjectId,
    in_sentence,
)
from events.values.bilingual import InTwoLanguages


class Calendar(Labelled):
    GREGORIAN = "gregorian", "م", "CE"
    UMM_AL_QURA = "umm-al-qura", "هـ", "AH"


class Track(Labelled):
    USAGE = "usage", "الاستخدام", "Use"
    SPECIALIST = "specialist", "المتخصصون", "Specialists"
    LEADERSHIP = "leadership", "القيادات ومديرو المشاريع", "Leaders and project managers"


class Group(Labelled):
    """A group of services, by its number."""

    FIRST = "1", "المجموعة الأولى", "First group"
    SECOND = "2", "المجموعة الثانية", "Second group"
    THIRD = "3", "المجموعة الثالثة", "Third group"


Target = Annotated[Count, Label("المستهدف", "Target")]
Registered = Annotated[Count, Label("مسجّلة", "Registered")]


class Infrastructure(Struct, frozen=True, kw_only=True):
    target: Target
    registered: Registered
    completed: Annotated[Count, Label("مكتملة", "Completed")]
    cancelled: Annotated[Count, Label("ملغاة", "Cancelled")]


class Application(Struct, frozen=True, kw_only=True):
    """A national application; `started` includes the completed phases."""

    project_id: Annotated[ProjectId, Label("التطبيق", "Application")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    phases: Annotated[Count, Label("المراحل", "Phases")]
    started: Annotated[Count, Label("المراحل التي بدأت", "Phases started")]
    completed: Annotated[Count, Label("المراحل المكتملة", "Phases completed")]
    cancelled: Annotated[bool, Label("ملغى", "Cancelled")]


class Applications(Struct, frozen=True, kw_only=True):
    target: Count
    projects: tuple[Application, ...]


class ServiceGroup(Struct, frozen=True, kw_only=True):
    target: Target
    registered: Registered
    launched: Annotated[Count, Label("الخدمات المطلقة", "Services launched")]
    live: Annotated[Count, Label("تعمل", "Live")]
    suspended: Annotated[Count, Label("موقوفة", "Suspended")]
    retired: Annotated[Count, Label("منتهية", "Retired")]


class ServiceGroups(Struct, frozen=True, kw_only=True):
    target: Count
    groups: Annotated[dict[str, ServiceGroup], Meta(extra_json_schema={"required": [group.value for group in Group]})]
    """By the values of `Group`."""


class Training(Struct, frozen=True, kw_only=True):
    """A track of a year. `net`: certificates in force, which are fewer than none where a year's were revoked later."""

    calendar: Annotated[Calendar, Label("التقويم", "Calendar")]
    year: Annotated[Count, Label("السنة", "Year")]
    track: Annotated[Track, Label("المسار", "Track")]
    quota: Annotated[Count, Label("المقاعد", "Seats")]
    certified: Annotated[Count, Label("الشهادات", "Certified")]
    revoked: Annotated[Count, Label("المسحوبة", "Revoked")]
    net: Annotated[int, Label("الصافي", "Net")]


class Awareness(Struct, frozen=True, kw_only=True):
    """`aired` and `on_all_three` count launched services; `reach` counts people."""

    launched_services: Annotated[Count, Label("خدمات أُطلقت", "Services launched")]
    aired: Annotated[OnChannels, Label("بُثت في", "Aired on TV·radio·print")]
    on_all_three: Annotated[Count, Label("على الوسائل الثلاث", "On all three channels")]
    general_campaigns: Annotated[Count, Label("الحملات العامة", "General campaigns")]
    reach: Annotated[Count, Label("الوصول في كل الحملات", "People reached by all campaigns")]


class SharedRevenue(Struct, frozen=True, kw_only=True):
    """A partnership of the plan. `open_period` is null once the last period is closed."""

    partnership_id: Annotated[str, Label("الشراكة", "Partnership")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=3)]
    expected_halalas: Annotated[Halalas, Label("المتوقع", "Expected", drop=4)]
    net_halalas: Annotated[Halalas, Label("الصافي", "Net", drop=1)]
    partner_halalas: Annotated[Halalas, Label("حصة الشريك", "Partner's share")]
    treasury_halalas: Annotated[Halalas, Label("حصة الخزينة", "Treasury's share")]
    open_period: Annotated[Period | None, Label("الفترة المفتوحة", "Open period", drop=2)]


class Plan(Struct, frozen=True, kw_only=True):
    log_index: Count
    plan_id: Annotated[str | None, Label("معرّف الخطة", "Plan id")]
    infrastructure: Infrastructure
    national_applications: Applications
    services: ServiceGroups
    training: tuple[Training, ...]
    awareness: Annotated[Awareness, Label("التوعية", "Awareness")]
    partnerships: tuple[SharedRevenue, ...]
    anomalies: Annotated[Count, Label("التناقضات", "Anomalies")]
    refusals: Annotated[Count, Label("السجلات المرفوضة", "Refused records")]
    partnerships_count: Count | UnsetType = UNSET
    """Of all of them, where `partnerships` are the first."""
    not_judged: tuple[str, ...] | UnsetType = UNSET
    """Figures that entries chosen by the date on which they occurred say nothing of."""


class PlanName(Struct, frozen=True, kw_only=True):
    plan_id: str
    name: Name
    starts_on: Date
    ends_on: Date


class AgencyPace(Struct, frozen=True, kw_only=True):
    """What an agency has done, and what it would have done at an even pace: whole ones, rounded down."""

    READ_FIRST: ClassVar = ("agency", "services", "launched", "expected_launched")

    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    services: Annotated[Count, Label("الخدمات", "Services")]
    launched: Annotated[Count, Label("الخدمات المطلقة", "Services launched")]
    phases: Annotated[Count, Label("المراحل", "Phases"), Meta(description="Of its projects that are not cancelled.")]
    completed: Annotated[Count, Label("المراحل المكتملة", "Phases completed")]
    expected_launched: Annotated[
        Count,
        Label("المتوقع إطلاقه", "Expected launched"),
        Meta(description="`services` × `elapsed_days` ÷ `days`, rounded down."),
    ]
    expected_completed: Annotated[Count, Label("المتوقع اكتماله", "Expected completed")]

    @property
    def services_behind(self) -> int:
        return max(0, self.expected_launched - self.launched)

    @property
    def phases_behind(self) -> int:
        return max(0, self.expected_completed - self.completed)


class Launches(Struct, frozen=True, kw_only=True):
    """The services that were launched in a month."""

    month: Annotated[str, Meta(description="Like `2005-03`.")]
    launched: Count


class Pace(Struct, frozen=True, kw_only=True):
    log_index: Count
    recorded: Annotated[str | None, Meta(description="When the last of these entries was recorded.")]
    plan: PlanName | None
    measured_on: Annotated[Date | None, Meta(description="The day of the plan's calendar.")]
    measured_by: Annotated[
        Literal["recorded", "steps", "occurred"] | None,
        Meta(
            description="What gives this day: the time of recording, or, of a plan that was recorded after its end, "
            "the latest date of a step; as of an occurred date that date."
        ),
    ]
    days: Annotated[Count, Meta(description="Of the plan.")]
    elapsed_days: Annotated[Count, Meta(description="Days of the plan up to `measured_on`.")]
    agencies: tuple[AgencyPace, ...]
    launches: tuple[Launches, ...]


TRAINING: Final = Listing("التدريب", "Training", Training)
PARTNERSHIPS: Final = Listing("الشراكة مع القطاع الخاص بالريال", "Partnerships, in riyals", SharedRevenue)
AGENCIES: Final = Listing("الجهات", "Agencies", AgencyPace)


def group_name(group: Group) -> Name:
    return Name("خدمات {}", "Services, {}").format(in_sentence(group))


def training_name(calendar: Calendar, year: int, track: Track) -> Name:
    return Name("تدريب {} {}، {}", "Training {} {}, {}").format(year, calendar, in_sentence(track))


def aired_name(where: InTwoLanguages) -> Name:
    """Of the services that were aired on a channel, or on all three."""
    return Name("التوعية، {}", "Awareness, {}").format(in_sentence(where))
