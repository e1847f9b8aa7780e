"""What was aired about each launched service, with totals by agency (events.md §5)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from consumers.documents.campaigns.campaigns import MissingChannels, OnChannels, Reach
from consumers.documents.document import AgencyCode, Count, Date, Label, Listing, Name, ServiceId

_Days = Annotated[int | None, Meta(description="From the launch; negative before it.")]
Airings = Annotated[Count, Label("مرات البث", "Airings", drop=5)]
FirstAiredOn = Annotated[Date | None, Label("أول بث", "First airing", is_detail=True)]
DaysToFirstAiring = Annotated[_Days, Label("أيام إلى أول بث", "Days to the first airing", drop=2)]


class ChannelCoverage(Struct, frozen=True, kw_only=True):
    airings: Airings
    reach: Reach
    first_aired_on: FirstAiredOn
    days_to_first_airing: DaysToFirstAiring


class CoverageByChannel(Struct, frozen=True, kw_only=True):
    tv: ChannelCoverage
    radio: ChannelCoverage
    print: ChannelCoverage


class ServiceCoverage(Struct, frozen=True, kw_only=True):
    """The airings about a launched service, in its specific campaigns."""

    service_id: Annotated[ServiceId, Label("الخدمة", "Service")]
    name: Annotated[Name, Label("الاسم", "Name", is_detail=True)]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    plan_id: str
    group: Count
    launched_on: Annotated[Date | None, Label("الإطلاق", "Launched", drop=4)]
    launched_index: Count
    channels: CoverageByChannel
    airings: Airings
    reach: Reach
    first_aired_on: FirstAiredOn
    days_to_first_airing: DaysToFirstAiring
    missing_channels: MissingChannels
    silent: Annotated[
        bool, Label("لم تُبث", "Never aired", is_detail=True), Meta(description="Launched, and never aired.")
    ]


class CoverageTotal(Struct, frozen=True, kw_only=True):
    """Of all launched services, or of an agency's."""

    agency: str | UnsetType = UNSET
    launched_services: Annotated[Count, Label("خدمات أُطلقت", "Services launched")]
    on_all_three: Annotated[Count, Label("بُثت في الوسائل الثلاث", "Aired on all three", drop=1)]
    silent: Annotated[Count, Label("لم تُبث", "Never aired")]
    airings: Airings
    reach: Reach
    aired: Annotated[OnChannels, Label("بُثت في", "Aired on TV·radio·print", is_detail=True)]
    median_days_to_first_airing: Annotated[
        _Days, Label("وسيط الأيام إلى أول بث", "Median days to the first airing", drop=4)
    ]


class AgencyCoverage(CoverageTotal, frozen=True, kw_only=True):
    agency: Annotated[AgencyCode, Label("الجهة", "Agency")]


class Coverage(Struct, frozen=True, kw_only=True):
    """`not_judged` names the figures of which events chosen by the date on which they occurred say nothing."""

    log_index: Count
    services: tuple[ServiceCoverage, ...]
    agencies: tuple[AgencyCoverage, ...]
    total: CoverageTotal
    not_judged: tuple[str, ...] | UnsetType = UNSET


SERVICES: Final = Listing("التغطية الإعلامية", "Coverage", ServiceCoverage)
AGENCIES: Final = Listing("حسب الجهة", "By agency", AgencyCoverage)
