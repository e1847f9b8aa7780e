"""What happened to a service or a project: the steps that took effect, in their order."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from consumers.documents.document import AgencyCode, Count, Date, Label, Labelled, Listing
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
