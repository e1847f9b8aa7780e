"""The table of event types: type → model, sender, subject, purpose.

`CATALOGUE` is keyed by the short name (`service.launched`); the full type is `sa.gov.yesser.` + name + `.v1`.
The registrar accepts owner-only types from every agency. Consumers check ownership; a violation is an anomaly.
`DOMAINS` names what the types belong to, by the first word of their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from events.faults.model import Model
from events.types.awareness import (
    AwarenessCampaignAcknowledged,
    AwarenessCampaignAired,
    AwarenessCampaignAiringCorrected,
    AwarenessCampaignCompleted,
    AwarenessInitiativeAnnounced,
    CampaignEscalated,
    CampaignPaused,
    CampaignResumed,
    CampaignTriggered,
)
from events.types.partnerships import (
    PartnershipAmended,
    PartnershipFrameworkPublished,
    PartnershipReassigned,
    PartnershipSigned,
    PartnershipTerminated,
    PartnershipWorkshopAnnounced,
    PartnershipWorkshopHeld,
)
from events.types.plan import PlanAdopted, PlanAmended
from events.types.platform import (
    CanarySent,
    ProjectionCommitmentAcknowledged,
    ProjectionCommitted,
    RegistrarCatalogueAdopted,
    RegistrarRefused,
    RegistryAgencyRegistered,
    RegistryAgencyResumed,
    RegistryAgencySuspended,
    RegistryTextWithheld,
)
from events.types.projects import (
    ProjectCancelled,
    ProjectPhaseCompleted,
    ProjectPhaseReopened,
    ProjectPhaseStarted,
    ProjectReassigned,
    ProjectRegistered,
)
from events.types.revenue import (
    RevenueCollected,
    RevenuePaidOut,
    RevenuePeriodClosed,
    RevenueReversed,
    SettlementIssued,
)
from events.types.rules import PHASES_RULES, SERVICES_RULES, TERMS_RULES, Rule
from events.types.services import (
    ServiceLaunched,
    ServiceReassigned,
    ServiceRegistered,
    ServiceResumed,
    ServiceRetired,
    ServiceSuspended,
)
from events.types.training import TrainingCertified, TrainingQuotaSet, TrainingRevoked
from events.values.bilingual import Bilingual
from events.values.fields import Role, is_free_text

Sender = Literal["office", "agency", "owner", "platform"]

_SENDERS_BY_ROLE: Final[Mapping[Role, frozenset[Sender]]] = {
    "office": frozenset({"office", "agency", "owner"}),
    "agency": frozenset({"agency", "owner"}),
    "platform": frozenset({"platform"}),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about: a pattern for people, the fields of `data` it is made of, and the function."""

    pattern: str
    fields: tuple[str, ...]
    of: Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class EventType:
    """One row of the catalogue. `sender` may send it; `rules` are checked on `data` besides the model."""

    name: str
    model: type[Model]
    sender: Sender
    subject: Subject
    purpose: Bilingual
    rules: tuple[Rule, ...] = ()

    @property
    def domain(self) -> str:
        """The first word of the name: `service`."""
        return self.name.partition(".")[0]


def may_send(role: Role, event_type: EventType) -> bool:
    """Whether an agency of this role may send this type (ownership is not checked here)."""
    return event_type.sender in _SENDERS_BY_ROLE[role]


def _about(kind: str, *fields: str) -> Subject:
    """`kind/{field}/…`: the usual subject."""
    pattern = "/".join([kind, *(f"{{{field}}}" for field in fields)])
    if len(fields) == 1:
        prefix, field = f"{kind}/", fields[0]
        return Subject(pattern, fields, lambda data: prefix + data[field])
    return Subject(pattern, fields, lambda data: "/".join([kind, *(str(data[field]) for field in fields)]))


def _refusal_subject(data: Mapping[str, Any]) -> str:
    topic_and_partition, _, offset = data["address"].rpartition("/")
    return f"refusal/{topic_and_partition}/o{offset}"


_PLAN: Final = _about("plan", "plan_id")
_PROJECT: Final = _about("project", "project_id")
_SERVICE: Final = _about("service", "service_id")
_TRAINEE: Final = _about("trainee", "trainee")
_WORKSHOP: Final = _about("workshop", "workshop_id")
_PARTNERSHIP: Final = _about("partnership", "partnership_id")
_CAMPAIGN: Final = _about("campaign", "campaign_id")
_AGENCY: Final = _about("agency", "code")
_ENTRY: Final = Subject("entry/{entry}", ("entry",), lambda data: f"entry/{data['entry']}")
_REFUSAL: Final = Subject("refusal/{topic}/{partition}/o{offset}", ("address",), _refusal_subject)

_ROWS: Final = (
    EventType("plan.adopted", PlanAdopted, "office", _PLAN,
              Bilingual("اعتمد مكتب البرنامج خطة بأهدافها.", "The office adopted a plan with its targets.")),
    EventType("plan.amended", PlanAmended, "office", _PLAN,
              Bilingual("عدّل مكتب البرنامج أهداف الخطة.", "The office changed the targets of a plan.")),
    EventType("project.registered", ProjectRegistered, "agency", _PROJECT,
              Bilingual("سجّلت الجهة مشروعًا ومراحله.", "An agency registered a project and its phases."), PHASES_RULES),
    EventType("project.phase-started", ProjectPhaseStarted, "owner", _PROJECT,
              Bilingual("بدأت مرحلة من المشروع.", "A phase of a project started.")),
    EventType("project.phase-completed", ProjectPhaseCompleted, "owner", _PROJECT,
              Bilingual("اكتملت مرحلة من المشروع.", "A phase of a project was completed.")),
    EventType("project.phase-reopened", ProjectPhaseReopened, "owner", _PROJECT,
              Bilingual("أعيد فتح مرحلة مكتملة.", "A completed phase was opened again.")),
    EventType("project.cancelled", ProjectCancelled, "owner", _PROJECT,
              Bilingual("أُلغي المشروع.", "A project was cancelled.")),
    EventType("project.reassigned", ProjectReassigned, "office", _PROJECT,
              Bilingual("نقل مكتب البرنامج المشروع إلى جهة أخرى.", "The office gave a project to another agency.")),
    EventType("service.registered", ServiceRegistered, "agency", _SERVICE,
              Bilingual("سجّلت الجهة خدمة إلكترونية.", "An agency registered an electronic service.")),
    EventType("service.launched", ServiceLaunched, "owner", _SERVICE,
              Bilingual("أُطلقت الخدمة للمستفيدين.", "A service was launched for its users.")),
    EventType("service.suspended", ServiceSuspended, "owner", _SERVICE,
              Bilingual("أُوقفت الخدمة مؤقتًا.", "A service was suspended.")),
    EventType("service.resumed", ServiceResumed, "owner", _SERVICE,
              Bilingual("استؤنفت الخدمة.", "A suspended service was resumed.")),
    EventType("service.retired", ServiceRetired, "owner", _SERVICE,
              Bilingual("أُنهيت الخدمة.", "A service was retired.")),
    EventType("service.reassigned", ServiceReassigned, "office", _SERVICE,
              Bilingual("نقل مكتب البرنامج الخدمة إلى جهة أخرى.", "The office gave a service to another agency.")),
    EventType("training.quota-set", TrainingQuotaSet, "office", _about("quota", "calendar", "year", "track"),
              Bilingual("حدّد مكتب البرنامج مقاعد مسار في سنة.", "The office set the seats of a track for a year.")),
    EventType("training.certified", TrainingCertified, "agency", _TRAINEE,
              Bilingual("حصل متدرب على شهادة.", "A trainee was certified.")),
    EventType("training.revoked", TrainingRevoked, "agency", _TRAINEE,
              Bilingual("سُحبت شهادة متدرب.", "A trainee's certificate was revoked.")),
    EventType("partnership.workshop-announced", PartnershipWorkshopAnnounced, "office", _WORKSHOP,
              Bilingual("أُعلن عن ورشة عمل.", "A workshop was announced.")),
    EventType("partnership.workshop-held", PartnershipWorkshopHeld, "office", _WORKSHOP,
              Bilingual("عُقدت ورشة عمل.", "A workshop was held.")),
    EventType("partnership.framework-published", PartnershipFrameworkPublished, "office",
              _about("framework", "framework_id"),
              Bilingual("نُشر إطار الشراكة.", "The partnership framework was published.")),
    EventType("partnership.signed", PartnershipSigned, "agency", _PARTNERSHIP,
              Bilingual("وُقّع عقد شراكة بشروطه.", "A partnership was signed, with its terms."),
              (*SERVICES_RULES, *TERMS_RULES)),
    EventType("partnership.amended", PartnershipAmended, "owner", _PARTNERSHIP,
              Bilingual("عُدّلت شروط العقد من فترة معينة.", "The terms were amended from a period on."), TERMS_RULES),
    EventType("partnership.terminated", PartnershipTerminated, "owner", _PARTNERSHIP,
              Bilingual("أُنهي عقد الشراكة.", "A partnership was terminated.")),
    EventType("partnership.reassigned", PartnershipReassigned, "office", _PARTNERSHIP,
              Bilingual("نقل مكتب البرنامج الشراكة إلى جهة أخرى.", "The office gave a partnership to another agency.")),
    EventType("revenue.collected", RevenueCollected, "owner", _PARTNERSHIP,
              Bilingual("حُصّل إيراد من خدمة.", "Revenue of a service was collected.")),
    EventType("revenue.reversed", RevenueReversed, "owner", _PARTNERSHIP,
              Bilingual("رُدّ إيراد محصّل كله أو بعضه.", "Collected revenue was reversed, wholly or in part.")),
    EventType("revenue.period-closed", RevenuePeriodClosed, "owner", _PARTNERSHIP,
              Bilingual("أُرسلت كل إيرادات الفترة.", "All receipts of a period have been sent.")),
    EventType("revenue.paid-out", RevenuePaidOut, "owner", _PARTNERSHIP,
              Bilingual("دُفع للشريك من مستحقاته.", "The partner was paid from what is owed.")),
    EventType("awareness.initiative-announced", AwarenessInitiativeAnnounced, "agency",
              _about("initiative", "initiative_id"),
              Bilingual("أُعلنت مبادرة توعوية.", "An awareness initiative was announced.")),
    EventType("awareness.campaign-acknowledged", AwarenessCampaignAcknowledged, "owner", _CAMPAIGN,
              Bilingual("تسلّم الفريق الحملة.", "A team acknowledged a campaign.")),
    EventType("awareness.campaign-aired", AwarenessCampaignAired, "owner", _CAMPAIGN,
              Bilingual("بُثت مادة من الحملة.", "Something of a campaign was aired.")),
    EventType("awareness.campaign-airing-corrected", AwarenessCampaignAiringCorrected, "owner", _CAMPAIGN,
              Bilingual("صُحّح وصول بث.", "The reach of an airing was corrected.")),
    EventType("awareness.campaign-completed", AwarenessCampaignCompleted, "owner", _CAMPAIGN,
              Bilingual("اكتملت الحملة.", "A campaign was completed.")),
    EventType("canary.sent", CanarySent, "agency", _about("canary", "origin"),
              Bilingual("قِيس طريق الحدث إلى الأرقام.", "The way of an event to the figures was measured.")),
    EventType("registry.agency-registered", RegistryAgencyRegistered, "platform", _AGENCY,
              Bilingual("سُجّلت جهة في المنصة.", "An agency was registered.")),
    EventType("registry.agency-suspended", RegistryAgencySuspended, "platform", _AGENCY,
              Bilingual("أُوقفت جهة: لا يُقبل منها إرسال جديد.", "An agency was suspended: it may send nothing new.")),
    EventType("registry.agency-resumed", RegistryAgencyResumed, "platform", _AGENCY,
              Bilingual("انتهى إيقاف جهة.", "An agency's suspension ended.")),
    EventType("registry.text-withheld", RegistryTextWithheld, "platform", _ENTRY,
              Bilingual("حُجب نص من أحد القيود.", "A text of an entry was withheld.")),
    EventType("registrar.catalogue-adopted", RegistrarCatalogueAdopted, "platform", _about("catalogue", "sha256"),
              Bilingual("بدأ التحقق من الأحداث بدليل آخر.", "Events are validated by another catalogue from now on.")),
    EventType("registrar.refused", RegistrarRefused, "platform", _REFUSAL,
              Bilingual("رُفض سجل وبُيّنت أسبابه.", "A record was refused, and why.")),
    EventType("campaign.triggered", CampaignTriggered, "platform", _CAMPAIGN,
              Bilingual("استحقت حملة توعوية.", "A campaign became due.")),
    EventType("campaign.paused", CampaignPaused, "platform", _CAMPAIGN,
              Bilingual("أُوقفت الحملة مع إيقاف خدمتها.", "A campaign paused with its service.")),
    EventType("campaign.resumed", CampaignResumed, "platform", _CAMPAIGN,
              Bilingual("استؤنفت الحملة مع خدمتها.", "A campaign resumed with its service.")),
    EventType("campaign.escalated", CampaignEscalated, "platform", _CAMPAIGN,
              Bilingual("تأخرت الحملة عن موعدها.", "A campaign is overdue.")),
    EventType("settlement.issued", SettlementIssued, "platform", _PARTNERSHIP,
              Bilingual("صدر كشف فترة مقفلة.", "The statement of a closed period was issued.")),
    EventType("projection.committed", ProjectionCommitted, "platform", _about("projection", "name"),
              Bilingual("نُشرت بصمة نموذج قراءة.", "The hash of a read model was published.")),
    EventType("projection.commitment-acknowledged", ProjectionCommitmentAcknowledged, "platform",
              _about("projection", "name"),
              Bilingual("أُخذ العلم ببصمة خاطئة.", "A wrong commitment was acknowledged.")),
)  # fmt: skip

CATALOGUE: Final[Mapping[str, EventType]] = {row.name: row for row in _ROWS}
"""Short name → row, in the order of the contract."""

FREE_TEXTS: Final[Mapping[str, frozenset[str]]] = {
    row.name: members
    for row in _ROWS
    if row.sender != "platform"
    and (members := frozenset(name for name, field in row.model.model_fields.items() if is_free_text(field.metadata)))
}
"""Short name → the members of `data` that are free texts, for the types that have one. The platform's own have none."""


_B: Final = Bilingual

DOMAINS: Final[Mapping[str, Bilingual]] = {
    "plan": _B("الخطة", "Plan"),
    "project": _B("المشاريع", "Projects"),
    "service": _B("الخدمات", "Services"),
    "training": _B("التدريب", "Training"),
    "partnership": _B("الشراكات", "Partnerships"),
    "revenue": _B("الإيرادات", "Revenue"),
    "awareness": _B("التوعية", "Awareness"),
    "canary": _B("المراقبة", "Monitoring"),
    "registry": _B("الجهات", "Agencies"),
    "registrar": _B("المسجِّل", "Registrar"),
    "campaign": _B("الحملات", "Campaigns"),
    "settlement": _B("الكشوف", "Statements"),
    "projection": _B("نماذج القراءة", "Read models"),
}
