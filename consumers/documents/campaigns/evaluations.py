"""The campaign rules in force, and what they decided, in the log and in a trial of changed rules."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, TypedDict

from msgspec import UNSET, Struct, UnsetType

from consumers.documents.campaigns.campaigns import CampaignKind, Channel, Urgency
from consumers.documents.document import AgencyCode, Count, Date, Instant, Label, Labelled, Listing, Name


class RuleOwner(Labelled):
    SERVICE_OWNER = "service-owner", "مالك الخدمة", "The service's owner"
    ANNOUNCER = "announcer", "الجهة المعلنة", "The announcing agency"
    OFFICE = "office", "مكتب البرنامج", "The programme office"


class RuleMoment(Labelled):
    """What a rule can be about."""

    SERVICE_LAUNCHED = "service.launched", "إطلاق خدمة", "A service is launched"
    SERVICE_RESUMED = "service.resumed", "استئناف خدمة", "A service is resumed"
    SERVICE_RETIRED = "service.retired", "إنهاء خدمة", "A service is retired"
    INITIATIVE_ANNOUNCED = "awareness.initiative-announced", "الإعلان عن مبادرة", "An initiative is announced"
    WORKSHOP_ANNOUNCED = "partnership.workshop-announced", "الإعلان عن ورشة عمل", "A workshop is announced"
    WORKSHOP_HELD = "partnership.workshop-held", "عقد ورشة عمل", "A workshop is held"
    FRAMEWORK_PUBLISHED = "partnership.framework-published", "نشر إطار للشراكة", "A partnership framework is published"
    GROUP_COMPLETED = "group-completed", "اكتمال مجموعة من خدمات الخطة", "A group of the plan's services is completed"
    QUOTA_MET = "quota-met", "بلوغ مقاعد التدريب عددها", "A training quota is met"
    NOT_AIRED = "not-aired", "خدمة أُطلقت ولم تُبث", "A launched service is not aired"


class CampaignRule(Struct, frozen=True, kw_only=True):
    """A rule; its file's hash counts what it says, neither comments nor layout."""

    READ_FIRST: ClassVar = ("name", "when", "after_working_days", "kind", "owner", "channels", "due_working_days")

    name: Annotated[str, Label("القاعدة", "Rule")]
    version: Annotated[Count, Label("الإصدار", "Version")]
    when: Annotated[str, Label("متى", "When")]
    after_working_days: Annotated[Count | None, Label("بعد أيام عمل", "After working days", drop=4)]
    kind: Annotated[CampaignKind, Label("الحملة", "Campaign", drop=2)]
    owner: Annotated[RuleOwner, Label("المالك", "Owner", drop=1)]
    channels: Annotated[tuple[Channel, ...], Label("القنوات", "Channels", drop=3)]
    due_working_days: Annotated[Count, Label("أيام العمل", "Working days")]
    urgency: Urgency
    brief: Name
    reason: Name
    file: str
    sha256: str


RuleSetDocument = TypedDict("RuleSetDocument", {"version": int, "from": str, "rules": list[CampaignRule]})
"""A set of rules and where it is from: `release` or `deployment`. No class can have a field of the name `from`."""
RULES: Final = Listing("قواعد الحملات", "Campaign rules", CampaignRule)


class Evaluation(Struct, frozen=True, kw_only=True):
    """A rule's decision on a cause. Of certificates that did not fire it is the last; `count` is how many there were
    from `first_index` on."""

    rule: str
    cause_index: Count
    part: str
    rules_version: Count | None
    fired: bool
    campaign_id: str | None
    reason: Name
    first_index: Count | UnsetType = UNSET
    count: Count | UnsetType = UNSET


class ExplainedCampaign(Struct, frozen=True, kw_only=True):
    """A campaign that a rule decided, in the log or not."""

    campaign_id: str
    rule: str
    cause_index: Count
    owner: Annotated[AgencyCode, Label("الجهة", "Agency")]
    service_id: str | None
    due_on: Date
    triggered_index: Count | None
    acknowledged_index: Count | None
    acknowledged_by: str | None
    acknowledged_at: Instant | None
    completed_index: Count | None
    escalated: bool
    tv: Count
    radio: Count
    print: Count


class Subject(Struct, frozen=True, kw_only=True):
    """What an explanation is about: a campaign, a service, a quota, a group of a plan or an initiative."""

    kind: str
    id: str


class WaitingFact(Struct, frozen=True, kw_only=True):
    """A fact that waits for its service's registration."""

    index: Count
    type: str
    agency: str


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of a service, a quota or a group of a plan; nothing of others."""

    registered: bool | UnsetType = UNSET
    waiting: tuple[WaitingFact, ...] | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    launched_on: Date | UnsetType | None = UNSET
    launched_index: Count | UnsetType | None = UNSET
    suspended_from: Date | UnsetType | None = UNSET
    retired: bool | UnsetType = UNSET
    seats: Count | UnsetType = UNSET
    net: int | UnsetType = UNSET
    launched: Count | UnsetType = UNSET
    target: Count | UnsetType | None = UNSET


class Explanation(Struct, kw_only=True):
    """What is known of a subject. `remarks` say what prevents a campaign, or what happened."""

    log_index: Count
    about: Subject
    facts: Facts
    remarks: list[Name]
    evaluations: list[Evaluation]
    campaigns: list[ExplainedCampaign]


class TriedTrigger(Struct, frozen=True, kw_only=True):
    """A trigger that the rules in force or the changed ones decide; `differs_in` where both do, but differently."""

    campaign_id: str
    rule: str
    cause_index: Count
    kind: CampaignKind
    owner: str
    service_id: str | None
    channels: tuple[Channel, ...]
    due_on: Date
    brief: Name
    reason: Name
    in_log: bool
    differs_in: tuple[str, ...] | UnsetType = UNSET


class Trial(Struct, frozen=True, kw_only=True):
    """What changed rules decide from entry `since` on: new triggers, those that are gone, and those that differ."""

    log_index: Count
    since: Count
    fired: tuple[TriedTrigger, ...]
    no_longer: tuple[TriedTrigger, ...]
    changed: tuple[TriedTrigger, ...]
    unchanged: Count
