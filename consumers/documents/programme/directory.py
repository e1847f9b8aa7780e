"""The directory of services, infrastructure projects and national applications with their phases (events.md §5); what
happened to each: the steps that took effect, in their order; and the activity of agencies: what was accepted, by full
type, and what was refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct

from consumers.documents.document import AgencyCode, Count, Date, Label, Labelled, Listing, Name
from events.values.data import Data


class StepType(Labelled):
    SERVICE_REGISTERED = "service.registered", "سُجلت الخدمة", "Service registered"
    SERVICE_LAUNCHED = "service.launched", "أُطلقت الخدمة", "Service launched"
    SERVICE_SUSPENDED = "service.suspended", "أُوقفت الخدمة", "Service suspended"
    SERVICE_RESUMED = "service.resumed", "استؤنفت الخدمة", "Service resumed"
    SERVICE_RETIRED = "service.retired", "انتهت الخدمة", "Service retired"
    SERVICE_REASSIGNED = "service.reassigned", "نُقلت الخدمة إلى جهة أخرى", "Service moved to another agency"
    PROJECT_REGISTERED = "project.registered", "سُجل المشروع", "Project registered"
    PHASE_STARTED = "project.phase-started", "بدأت المرحلة", "Phase started"
    PHASE_COMPLETED = "project.phase-completed", "اكتملت المرحلة", "Phase completed"
    PHASE_REOPENED = "project.phase-reopened", "أُعيد فتح المرحلة", "Phase reopened"
    PROJECT_CANCELLED = "project.cancelled", "أُلغي المشروع", "Project cancelled"
    PROJECT_REASSIGNED = "project.reassigned", "نُقل المشروع إلى جهة أخرى", "Project moved to another agency"


class Step(Struct, frozen=True, kw_only=True):
    """A fact that took effect."""

    index: Annotated[Count, Label("القيد", "Entry")]
    found_index: Annotated[
        Count,
        Label("وُجد عند", "Found at", drop=4),
        Meta(description="Where it took effect; later than `index` for a fact that waited."),
    ]
    type: Annotated[StepType, Label("الخطوة", "Step")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    happened_on: Annotated[Date | None, Label("التاريخ", "Date")]
    phase: Annotated[Count | None, Label("المرحلة", "Phase", drop=2)]
    data: Annotated[Data | None, Meta(description="The event's data; null where its sender is another agency.")]


HISTORY: Final = Listing("ما جرى", "What happened", Step)


class ServiceState(Labelled):
    REGISTERED = "registered", "مسجّلة", "Registered"
    LIVE = "live", "تعمل", "Live", "good"
    SUSPENDED = "suspended", "موقوفة", "Suspended", "late"
    RETIRED = "retired", "منتهية", "Retired", "quiet"


class ServiceChannel(Labelled):
    WEB = "web", "الويب", "Web"
    MOBILE = "mobile", "الجوال", "Mobile"
    KIOSK = "kiosk", "أجهزة الخدمة الذاتية", "Kiosk"
    PHONE = "phone", "الهاتف", "Phone"
    COUNTER = "counter", "مكاتب الخدمة", "Counter"


class Service(Struct, frozen=True, kw_only=True):
    """A registered service."""

    READ_FIRST: ClassVar = ("service_id", "name", "agency")

    service_id: Annotated[str, Label("الخدمة", "Service")]
    plan_id: str
    group: Annotated[Count, Label("المجموعة", "Group", drop=4)]
    name: Annotated[Name, Label("الاسم", "Name", drop=2)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    state: Annotated[ServiceState, Label("الحالة", "State")]
    launched_on: Annotated[Date | None, Label("الإطلاق", "Launched", drop=3)]
    channels: Annotated[tuple[ServiceChannel, ...] | None, Label("منافذ الخدمة", "Offered by", is_detail=True)]
    url: Annotated[str | None, Label("العنوان", "Address", is_detail=True)]
    first_index: Count
    last_index: Count


class ServiceAndHistory(Service, frozen=True, kw_only=True):
    history: tuple[Step, ...]


SERVICES: Final = Listing("الخدمات الإلكترونية", "Electronic services", Service)


class ProjectKind(Labelled):
    INFRASTRUCTURE = "infrastructure", "مشاريع البنى التحتية", "Infrastructure projects"
    NATIONAL_APPLICATION = "national-application", "التطبيقات الوطنية", "National applications"


class ProjectState(Labelled):
    REGISTERED = "registered", "مسجّل", "Registered"
    STARTED = "started", "جارٍ", "Under way"
    COMPLETED = "completed", "مكتمل", "Completed", "good"
    CANCELLED = "cancelled", "ملغى", "Cancelled", "bad"


class PhaseState(Labelled):
    WAITING = "waiting", "لم تبدأ", "Not started", "quiet"
    STARTED = "started", "بدأت", "Started"
    COMPLETED = "completed", "اكتملت", "Completed", "good"


class Phase(Struct, frozen=True, kw_only=True):
    phase: Annotated[Count, Label("المرحلة", "Phase")]
    name: Annotated[Name, Label("الاسم", "Name")]
    state: Annotated[PhaseState, Label("الحالة", "State")]


class Project(Struct, frozen=True, kw_only=True):
    """A registered project. `started` includes the completed phases."""

    project_id: Annotated[str, Label("المشروع", "Project")]
    plan_id: str
    kind: Annotated[ProjectKind, Label("النوع", "Kind", drop=6)]
    name: Annotated[Name, Label("الاسم", "Name", drop=2)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    state: Annotated[ProjectState, Label("الحالة", "State")]
    phases: Annotated[Count, Label("المراحل", "Phases", drop=3)]
    started: Annotated[Count, Label("بدأت", "Started", drop=5)]
    completed: Annotated[Count, Label("اكتملت", "Completed", drop=4)]
    cancelled_on: Date | None
    first_index: Count
    last_index: Count


def phase_states(names: Iterable[Any], started: int, completed: int) -> tuple[Phase, ...]:
    """Each phase of a project with its name (`L`)."""

    def state(phase: int) -> PhaseState:
        if phase <= completed:
            return PhaseState.COMPLETED
        return PhaseState.STARTED if phase <= started else PhaseState.WAITING

    return tuple(Phase(phase=at, name=Name(**name), state=state(at)) for at, name in enumerate(names, 1))


class ProjectAndHistory(Project, frozen=True, kw_only=True):
    phase_states: tuple[Phase, ...]
    history: tuple[Step, ...]


PROJECTS: Final = Listing("المشاريع", "Projects", Project)
PHASES: Final = Listing("المراحل", "Phases", Phase)


class Counted(Struct, frozen=True, kw_only=True):
    count: Annotated[Count, Label("العدد", "Count")]
    first_index: Count
    last_index: Count


class Activity(Struct, kw_only=True):
    READ_FIRST: ClassVar = ("agency", "accepted", "types", "refused")

    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]
    events: dict[str, Counted]
    refusals: Counted | None

    @property
    def accepted(self) -> Annotated[int, Label("المقبول", "Accepted")]:
        return sum(kind.count for kind in self.events.values())

    @property
    def types(self) -> Annotated[int, Label("الأنواع", "Types", drop=2)]:
        return len(self.events)

    @property
    def refused(self) -> Annotated[int, Label("المرفوض", "Refused")]:
        return 0 if self.refusals is None else self.refusals.count

    @property
    def last_index(self) -> Annotated[int, Label("آخر قيد", "Last entry", drop=1)]:
        return max(counted.last_index for counted in (*self.events.values(), self.refusals) if counted is not None)


ACTIVITY: Final = Listing("نشاط الجهات", "Activity", Activity)
