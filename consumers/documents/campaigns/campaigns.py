"""Awareness campaigns: which there are, what their teams must do, what was done, and what was aired about each launched
service, with totals by agency (events.md §5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from consumers.documents.document import (
    AgencyCode,
    Count,
    Date,
    Instant,
    Label,
    Labelled,
    Listing,
    Name,
    ServiceId,
    in_sentence,
)


class Channel(Labelled):
    TV = "tv", "التلفزيون", "Television"
    RADIO = "radio", "الإذاعة", "Radio"
    PRINT = "print", "الصحافة", "Print"


CHANNELS: Final = tuple(channel.value for channel in Channel)


def channel_list(channels: Iterable[str]) -> Name:
    """The channels as in a sentence."""
    names = [in_sentence(Channel(channel)) for channel in channels if channel in CHANNELS]
    *first, last = [name.en for name in names] or [""]
    return Name(" و".join(name.ar for name in names), f"{', '.join(first)} and {last}" if first else last)


class CampaignKind(Labelled):
    SPECIFIC = "specific", "خاصة", "Specific"
    GENERAL = "general", "عامة", "General"


class Urgency(Labelled):
    NORMAL = "normal", "عادية", "Normal"
    HIGH = "high", "عاجلة", "Urgent", "bad"


class CampaignState(Labelled):
    TRIGGERED = "triggered", "لم تُستلم", "Not acknowledged"
    ACKNOWLEDGED = "acknowledged", "استُلمت", "Acknowledged"
    COMPLETED = "completed", "اكتملت", "Completed", "good"


class StateFilter(Labelled):
    """What a list of campaigns can be limited to."""

    OPEN = "open", "لم تكتمل", "Not completed"
    TRIGGERED = "triggered", "لم تُستلم", "Not acknowledged"
    ACKNOWLEDGED = "acknowledged", "استُلمت", "Acknowledged"
    COMPLETED = "completed", "اكتملت", "Completed"
    PAUSED = "paused", "موقوفة", "Paused"
    ESCALATED = "escalated", "مُصعّدة", "Escalated"
    OVERDUE = "overdue", "متأخرة", "Overdue"


class Section(Labelled):
    """Under which heading a team finds a campaign."""

    OVERDUE = "overdue", "متأخرة", "Overdue"
    TO_DO = "to-do", "للتنفيذ", "To do"
    PAUSED = "paused", "موقوفة: لا عمل الآن", "Paused: nothing to do now"
    COMPLETED = "completed", "اكتملت", "Completed"


class NextAction(Labelled):
    ACKNOWLEDGE = "acknowledge", "استلام الحملة", "Acknowledge"
    AIR = "air", "تسجيل بث", "Report an airing"
    COMPLETE = "complete", "إكمال الحملة", "Complete"


CORRECT: Final = Name("تصحيح وصول بث", "Correct an airing's reach")


class CampaignStepType(Labelled):
    TRIGGERED = "campaign.triggered", "أُطلقت", "Triggered"
    PAUSED = "campaign.paused", "أُوقفت", "Paused"
    RESUMED = "campaign.resumed", "استُؤنفت", "Resumed"
    ESCALATED = "campaign.escalated", "صُعّدت", "Escalated"
    ACKNOWLEDGED = "awareness.campaign-acknowledged", "استُلمت", "Acknowledged"
    AIRED = "awareness.campaign-aired", "بُثت", "Aired"
    CORRECTED = "awareness.campaign-airing-corrected", "صُحّح وصول بث", "Reach corrected"
    COMPLETED = "awareness.campaign-completed", "اكتملت", "Completed"


class OnChannels(Struct, frozen=True, kw_only=True):
    """A number for each channel."""

    tv: Annotated[Count, Label("التلفزيون", "Television")]
    radio: Annotated[Count, Label("الإذاعة", "Radio")]
    print: Annotated[Count, Label("الصحافة", "Print")]


class CampaignService(Struct, frozen=True, kw_only=True):
    """The service of a specific campaign."""

    service_id: str
    name: Annotated[Name, Label("الخدمة", "Service")]
    url: Annotated[str | None, Label("العنوان", "Address")]
    launched_on: Date | None
    channels: tuple[str, ...] | None


Channels = Annotated[tuple[Channel, ...], Label("البث في", "To air on", is_detail=True)]
MissingChannels = Annotated[
    tuple[Channel, ...], Label("لم تُبث في", "Not aired on"), Meta(description="Without an airing yet.")
]
Reach = Annotated[Count, Label("الوصول", "People reached", drop=6)]


class Campaign(Struct, frozen=True, kw_only=True):
    """A campaign in the log."""

    READ_FIRST: ClassVar[tuple[str, ...]] = (
        *("campaign_id", "rule", "kind", "cause_index", "owner"),
        *("service_id", "due_on", "state", "paused", "escalated"),
    )

    campaign_id: Annotated[str, Label("الحملة", "Campaign")]
    rule: Annotated[str, Label("القاعدة", "Rule", is_detail=True)]
    kind: Annotated[CampaignKind, Label("النوع", "Kind", is_detail=True)]
    cause_index: Annotated[Count, Label("القيد المسبب", "Causing entry", is_detail=True)]
    owner: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    service_id: Annotated[ServiceId | None, Label("الخدمة", "Service", drop=3)]
    channels: Channels
    due_on: Annotated[Date, Label("الموعد", "Due")]
    state: Annotated[CampaignState, Label("الحالة", "State")]
    paused: Annotated[bool, Label("موقوفة", "Paused", drop=2)]
    escalated: Annotated[bool, Label("مُصعّدة", "Escalated", drop=4)]
    aired: Annotated[OnChannels, Label("البث", "TV·radio·print", drop=5)]
    reach: Reach


HijriDate = Annotated[str | None, Label("الموعد الهجري", "Due (Umm al-Qura)", is_detail=True)]
AcknowledgedIndex = Annotated[Count | None, Label("قيد الاستلام", "Acknowledged by entry", is_detail=True)]
AcknowledgedBy = Annotated[str | None, Label("استلمها", "Acknowledged by", is_detail=True)]
AcknowledgedAt = Annotated[Instant | None, Label("وقت الاستلام", "Acknowledged at", is_detail=True)]
Brief = Annotated[Name, Label("الموجز", "Brief", is_detail=True)]
ServiceOrNone = Annotated[CampaignService | None, Label("الخدمة", "Service", is_detail=True)]


class InboxItem(Campaign, frozen=True, kw_only=True):
    """A campaign with what its team needs to know to act."""

    READ_FIRST: ClassVar[tuple[str, ...]] = (
        *(*Campaign.READ_FIRST, "channels", "aired", "reach", "due_on_hijri", "overdue"),
        *("acknowledged_by", "acknowledged_at", "acknowledged_index", "missing_channels", "service"),
    )

    due_on_hijri: HijriDate
    overdue: Annotated[bool, Label("متأخرة", "Overdue")]
    missing_channels: MissingChannels
    next_action: NextAction | None
    acknowledged_index: AcknowledgedIndex
    acknowledged_by: AcknowledgedBy
    acknowledged_at: AcknowledgedAt
    brief: Brief
    service: ServiceOrNone

    @property
    def section(self) -> Section:
        if self.state is CampaignState.COMPLETED:
            return Section.COMPLETED
        if self.overdue:
            return Section.OVERDUE
        return Section.PAUSED if self.paused else Section.TO_DO


def sections(rows: Sequence[InboxItem]) -> list[tuple[Section, list[InboxItem]]]:
    """The rows under their headings; a heading without rows is left out."""
    grouped = ((section, [row for row in rows if row.section is section]) for section in Section)
    return [(section, own) for section, own in grouped if own]


class Airing(Struct, frozen=True, kw_only=True):
    """An airing that counted."""

    READ_FIRST: ClassVar = ("aired_on", "channel", "outlet", "reach")

    airing_id: str
    index: Annotated[Count, Label("القيد", "Entry", drop=1)]
    channel: Annotated[Channel, Label("الوسيلة", "Channel")]
    outlet: Annotated[Name, Label("المنفذ", "Outlet")]
    aired_on: Annotated[Date, Label("التاريخ", "Date")]
    reach: Reach
    corrected_index: Annotated[
        Count | None,
        Label("قيد التصحيح", "Corrected by entry", is_detail=True),
        Meta(description="The entry that gave `reach` last; null where `index` did."),
    ]

    @property
    def last_index(self) -> int:
        """The entry that gave `reach`."""
        return self.index if self.corrected_index is None else self.corrected_index


class CampaignStep(Struct, frozen=True, kw_only=True):
    """An entry about a campaign."""

    index: Annotated[Count, Label("القيد", "Entry")]
    recorded: Annotated[Instant, Label("سُجّل", "Recorded", drop=3)]
    type: Annotated[CampaignStepType, Label("الحدث", "Event")]
    agency: Annotated[AgencyCode, Label("الجهة", "Agency", drop=1)]
    by: Annotated[str | None, Label("المكتب", "Desk")]
    airing_id: str | None
    channel: Annotated[Channel | None, Label("الوسيلة", "Channel", drop=2)]
    reach: Count | None
    reason: Annotated[Name | None, Label("السبب", "Reason"), Meta(description="Of a correction.")]
    anomaly: Annotated[
        str | None, Label("لم يغيّر شيئًا", "Changed nothing"), Meta(description="Why the entry changed nothing.")
    ]


_NULL: Final = Meta(description="Null where the campaign is another agency's.")


class CampaignAndHistory(Campaign, frozen=True, kw_only=True):
    """A campaign with its service, brief, reason, airings and history."""

    due_on_hijri: HijriDate
    missing_channels: MissingChannels
    next_action: NextAction | None
    rules_version: Count
    brief: Brief
    reason: Name
    urgency: Annotated[Urgency, Label("الأهمية", "Urgency", is_detail=True)]
    triggered_index: Count
    acknowledged_index: AcknowledgedIndex
    acknowledged_by: AcknowledgedBy
    acknowledged_at: AcknowledgedAt
    completed_index: Count | None
    service: ServiceOrNone
    airings: Annotated[tuple[Airing, ...] | None, _NULL]
    history: Annotated[tuple[CampaignStep, ...] | None, _NULL]
    more_history: Annotated[
        bool,
        Meta(
            description="Whether there are entries beyond the 1,000 of `history`: those that changed nothing are left "
            "out first, then the oldest."
        ),
    ]


class InboxCounts(Struct, frozen=True, kw_only=True):
    """How many campaigns there are, are overdue or paused, and wait for each next step."""

    campaigns: Count
    overdue: Annotated[Count, Label("متأخرة", "Overdue")]
    paused: Annotated[Count, Label("موقوفة", "Paused")]
    acknowledge: Annotated[Count, Label("تنتظر الاستلام", "To acknowledge")]
    air: Annotated[Count, Label("تنتظر البث", "To air")]
    complete: Annotated[Count, Label("تنتظر الإكمال", "To complete")]
    completed: Count


ToDo: TypeAlias = InboxItem | CampaignAndHistory
"""What says what a team does next."""
CAMPAIGNS: Final = Listing("حملات التوعية", "Awareness campaigns", Campaign)
INBOX: Final = Listing("صندوق الحملات", "Campaign inbox", InboxItem)
AIRINGS: Final = Listing("مرات البث", "Airings", Airing)
STEPS: Final = Listing("ما جرى", "History", CampaignStep)


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
