"""The campaign rules in force: when which campaign is triggered, for whom and until when."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, TypedDict

from msgspec import Struct

from consumers.documents.campaigns.campaigns import CampaignKind, Channel, Urgency
from consumers.documents.document import Count, Label, Labelled, Listing, Name


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
