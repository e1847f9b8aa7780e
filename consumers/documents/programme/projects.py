"""Infrastructure projects and national applications, with their phases (events.md §5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

from msgspec import Struct

from consumers.documents.document import AgencyCode, Count, Date, Label, Labelled, Listing, Name
from consumers.documents.programme.history import Step


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
