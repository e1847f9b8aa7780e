"""The words of figures: what a model's key is about, and the name of each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumers.documents.document import Label, Labelled, fields
from consumers.documents.programme.plan import SharedRevenue, Training
from consumers.documents.programme.projects import Project, ProjectState
from consumers.documents.programme.services import Service, ServiceState
from consumers.explain.statement_formulas import FORMULAS, LABELS
from events.values.bilingual import Bilingual

_B = Bilingual
Words = Bilingual | Label | Labelled
_MODELS: Final[Mapping[str, Bilingual]] = {
    "services": _B("الخدمة", "Service"),
    "projects": _B("المشروع", "Project"),
    "training": _B("التدريب", "Training"),
    "campaigns": _B("الحملة", "Campaign"),
    "coverage": _B("تغطية الخدمة", "Coverage of service"),
    "partnerships": _B("الشراكة", "Partnership"),
    "statements": _B("كشف الشراكة", "Statement of partnership"),
    "accounts": _B("الحساب", "Account"),
    "activity": _B("نشاط الجهة", "Activity of agency"),
}
_PLAN: Final[Mapping[str, Bilingual]] = {
    "plan": _B("الخطة المعروضة", "The plan that is shown"),
    "infrastructure": _B("مشاريع البنية التحتية", "Infrastructure projects"),
    "national_applications": _B("التطبيقات الوطنية", "National applications"),
    "services": _B("الخدمات", "Services"),
    "training": _B("التدريب", "Training"),
    "awareness": _B("التوعية", "Awareness"),
    "partnerships": _B("الشراكة", "Partnership"),
    "anomalies": _B("التناقضات", "Anomalies"),
    "refusals": _B("السجلات المرفوضة", "Refused records"),
}
_FIELDS: Final[Mapping[str, Words]] = {
    **{state.value: state for state in (*ProjectState, *ServiceState)},
    **{
        field.name: field.label
        for document in (Training, SharedRevenue, Project, Service)
        for field in fields(document)
    },
    "target": _B("المستهدف", "Target"),
    "launched": _B("ما أُطلق", "Launched"),
    "started": _B("المراحل التي بدأت", "Phases started"),
    "launched_services": _B("الخدمات التي أُطلقت", "Services launched"),
    "aired.tv": _B("خدمات بُثت في التلفزيون", "Services aired on television"),
    "aired.radio": _B("خدمات بُثت في الإذاعة", "Services aired on radio"),
    "aired.print": _B("خدمات نُشرت في الصحافة", "Services published in print"),
    "on_all_three": _B("خدمات في القنوات الثلاث", "Services on all three channels"),
    "general_campaigns": _B("الحملات العامة", "General campaigns"),
    "reach": _B("الوصول", "Reach"),
    "partner_halalas": _B("حصة الشريك", "Partner's share"),
    "treasury_halalas": _B("حصة الخزينة", "Treasury's share"),
    "balance_halalas": _B("الرصيد", "Balance"),
    "owner": _B("الجهة المالكة", "Owner"),
    "paused": _B("موقوفة مؤقتًا", "Paused"),
    "count": _B("العدد", "Count"),
    "plan_id": _B("معرّف الخطة", "Plan id"),
}


def title_of(model: str, key: str) -> tuple[Bilingual | None, str]:
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
