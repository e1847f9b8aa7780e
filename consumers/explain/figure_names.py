"""The names of figures, of their documents: what a model's key is about, and each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumers.documents.campaigns.campaigns import Campaign, Channel
from consumers.documents.document import Label, Labelled, fields, label_of
from consumers.documents.ledger.ledger import Account
from consumers.documents.ledger.partnerships import Partnership
from consumers.documents.programme import plan
from consumers.documents.programme.directory import SERVICES, Counted, Project, ProjectKind, Service
from consumers.explain.statement_formulas import FORMULAS, LABELS
from events.values.bilingual import Bilingual

_B = Bilingual
Words = Bilingual | Label | Labelled
_MODELS: Final[Mapping[str, Bilingual]] = {
    "services": label_of(Service, "service_id"),
    "projects": label_of(Project, "project_id"),
    "training": plan.TRAINING,
    "campaigns": label_of(Campaign, "campaign_id"),
    "coverage": _B("تغطية الخدمة", "Coverage of service"),
    "partnerships": label_of(Partnership, "partnership_id"),
    "statements": _B("كشف الشراكة", "Statement of partnership"),
    "accounts": label_of(Account, "kind"),
    "activity": _B("نشاط الجهة", "Activity of agency"),
}
_PLAN: Final[Mapping[str, Words]] = {
    "plan": _B("الخطة المعروضة", "The plan that is shown"),
    "infrastructure": ProjectKind.INFRASTRUCTURE,
    "national_applications": ProjectKind.NATIONAL_APPLICATION,
    "services": SERVICES,
    "training": plan.TRAINING,
    "awareness": label_of(plan.Plan, "awareness"),
    "partnerships": label_of(Partnership, "partnership_id"),
    "anomalies": label_of(plan.Plan, "anomalies"),
    "refusals": label_of(plan.Plan, "refusals"),
}
_OF_THE_PLAN: Final = (plan.Application, plan.Infrastructure, plan.ServiceGroup, plan.Training, plan.SharedRevenue)
_DOCUMENTS: Final = (Project, Service, *_OF_THE_PLAN, Account, Campaign, plan.Awareness, Counted, plan.Plan)
_FIELDS: Final[Mapping[str, Words]] = {
    **{field.name: field.label for document in _DOCUMENTS for field in fields(document)},
    **{f"aired.{channel.value}": plan.aired_name(channel) for channel in Channel},
}


def title_of(model: str, key: str) -> tuple[Words | None, str]:
    """What a key is about, in words, and what is left of the key for the reader."""
    if model != "plan":
        return _MODELS.get(model), key
    head, _, rest = key.partition("/")
    if head == "services" and rest:
        return _B("خدمات المجموعة", "Services of group"), rest
    return _PLAN.get(head), rest


def field_name(model: str, field: str) -> Words | None:
    """The name of a figure; None where it has none but its code."""
    return LABELS[field] if model == "statements" and field in FORMULAS else _FIELDS.get(field)
