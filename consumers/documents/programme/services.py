"""The service directory (events.md §5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Struct

from consumers.documents.document import AgencyCode, Count, Date, Label, Labelled, Listing, Name
from consumers.documents.programme.history import Step


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
