"""Which anomaly rules apply to each event type, and what each rule means.

An anomaly is an accepted event that contradicts what is known and therefore changes nothing (contract §3). Consumers
apply the rules; this table documents them for agencies, and tests compare it with the oracle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from events.types.catalogue import CATALOGUE
from events.values.bilingual import Bilingual

_B = Bilingual

RULES: Final[Mapping[str, Bilingual]] = {
    "unknown-plan": _B("لم تُعتمد خطة بهذا المعرّف.", "No plan with this id was adopted."),
    "unknown-phase": _B("ليس في المشروع مرحلة بهذا الرقم.", "The project has no phase of this number."),
    "unknown-certificate": _B("لم تمنح جهتك شهادة بهذا المعرّف.", "Your agency issued no certificate with this id."),
    "unknown-partnership": _B("لم يُوقَّع عقد بهذا المعرّف.", "No partnership with this id was signed."),
    "unknown-service": _B("الخدمة ليست من خدمات العقد.", "The service is not one of the contract's."),
    "unknown-receipt": _B("لا يوجد تحصيل محسوب بهذا المعرّف.", "No receipt with this id was counted."),
    "unknown-campaign": _B("لم تُطلق حملة بهذا المعرّف.", "No campaign with this id was triggered."),
    "unknown-airing": _B("ليس في الحملة بث محسوب بهذا المعرّف.", "The campaign has no airing with this id."),
    "not-owner": _B("الملكية لجهة أخرى.", "Another agency owns it."),
    "already-adopted": _B("اعتُمدت من قبل.", "It was adopted before."),
    "already-registered": _B("سُجّل من قبل.", "It was registered before."),
    "already-started": _B("المرحلة بدأت أو اكتملت من قبل.", "The phase was started or completed before."),
    "already-completed": _B("اكتملت من قبل.", "It was completed before."),
    "already-cancelled": _B("أُلغي من قبل.", "It was cancelled before."),
    "already-launched": _B("أُطلقت من قبل.", "It was launched before."),
    "already-suspended": _B("هي موقوفة أصلًا.", "It is suspended already."),
    "already-retired": _B("أُنهيت من قبل.", "It was retired before."),
    "already-certified": _B("مُنحت هذه الشهادة من قبل.", "This certificate was issued before."),
    "already-revoked": _B("سُحبت هذه الشهادة من قبل.", "This certificate was revoked before."),
    "already-announced": _B("أُعلنت من قبل.", "It was announced before."),
    "already-held": _B("عُقدت من قبل.", "It was held before."),
    "already-published": _B("نُشر من قبل.", "It was published before."),
    "already-signed": _B("وُقّع من قبل.", "It was signed before."),
    "already-terminated": _B("أُنهي من قبل.", "It was terminated before."),
    "already-collected": _B("معرّف التحصيل مستعمل في هذا العقد.", "The receipt's id was used in this partnership."),
    "already-reversed": _B("معرّف الرد مستعمل في هذا العقد.", "The reversal's id was used in this partnership."),
    "already-closed": _B("الفترة مقفلة من قبل.", "The period is closed already."),
    "already-paid-out": _B("معرّف الدفعة مستعمل في هذا العقد.", "The payout's id was used in this partnership."),
    "already-acknowledged": _B("تسلّمها فريق من قبل.", "It was acknowledged before."),
    "already-aired": _B("معرّف البث مستعمل في هذه الحملة.", "The airing's id was used in this campaign."),
    "not-allowed-now": _B("الحالة المسجلة لا تسمح به الآن.", "The recorded state does not allow it now."),
    "exceeds-remainder": _B("أكثر مما بقي من التحصيل.", "More than is left of the receipt."),
    "exceeds-payable": _B("أكثر من المستحق للشريك.", "More than is owed to the partner."),
    "exceeds-waiting": _B(
        "بلغت الأحداث المنتظرة تسجيل هذا المشروع أو هذه الخدمة حدّها الأعلى.",
        "The limit of events that wait for this project or service to be registered is reached.",
    ),
    "period-closed-out-of-order": _B(
        "ليست هي الفترة المفتوحة؛ تُقفل الفترات بالترتيب.", "It is not the open period; periods close in order."
    ),
}

_OF_A_FACT: Final = ("not-owner", "exceeds-waiting")
_OF_A_PHASE: Final = (*_OF_A_FACT, "unknown-phase", "not-allowed-now")
_OF_A_PARTNERSHIP: Final = ("unknown-partnership", "not-owner")
_OF_A_CAMPAIGN: Final = ("unknown-campaign", "not-owner")

CONTRADICTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "plan.adopted": ("already-adopted",),
    "plan.amended": ("unknown-plan",),
    "project.registered": ("not-owner", "already-registered"),
    "project.phase-started": (*_OF_A_PHASE, "already-started"),
    "project.phase-completed": (*_OF_A_PHASE, "already-completed"),
    "project.phase-reopened": _OF_A_PHASE,
    "project.reassigned": ("exceeds-waiting",),
    "project.cancelled": (*_OF_A_FACT, "already-cancelled", "not-allowed-now"),
    "service.registered": ("not-owner", "already-registered"),
    "service.launched": (*_OF_A_FACT, "already-launched", "not-allowed-now"),
    "service.suspended": (*_OF_A_FACT, "already-suspended", "not-allowed-now"),
    "service.resumed": (*_OF_A_FACT, "not-allowed-now"),
    "service.retired": (*_OF_A_FACT, "already-retired"),
    "service.reassigned": ("exceeds-waiting",),
    "training.certified": ("already-certified",),
    "training.revoked": ("unknown-certificate", "already-revoked", "not-allowed-now"),
    "partnership.workshop-announced": ("already-announced",),
    "partnership.workshop-held": ("already-held",),
    "partnership.framework-published": ("already-published",),
    "partnership.signed": ("not-owner", "already-signed"),
    "partnership.amended": (*_OF_A_PARTNERSHIP, "not-allowed-now"),
    "partnership.terminated": (*_OF_A_PARTNERSHIP, "already-terminated", "not-allowed-now"),
    "partnership.reassigned": ("unknown-partnership",),
    "revenue.collected": (*_OF_A_PARTNERSHIP, "already-collected", "unknown-service", "not-allowed-now"),
    "revenue.reversed": (
        *_OF_A_PARTNERSHIP,
        "already-reversed",
        "unknown-receipt",
        "not-allowed-now",
        "exceeds-remainder",
    ),
    "revenue.period-closed": (
        *_OF_A_PARTNERSHIP,
        "already-closed",
        "period-closed-out-of-order",
        "not-allowed-now",
    ),
    "revenue.paid-out": (*_OF_A_PARTNERSHIP, "already-paid-out", "exceeds-payable"),
    "awareness.initiative-announced": ("already-announced",),
    "awareness.campaign-acknowledged": (*_OF_A_CAMPAIGN, "already-acknowledged"),
    "awareness.campaign-aired": (*_OF_A_CAMPAIGN, "already-aired"),
    "awareness.campaign-airing-corrected": (*_OF_A_CAMPAIGN, "unknown-airing"),
    "awareness.campaign-completed": (*_OF_A_CAMPAIGN, "already-completed"),
}
"""Type → the rules that apply to it. A type without a row never contradicts anything."""


def contradictions_of(type_name: str) -> tuple[str, ...]:
    """The rules for a type, in the order in which they apply where that is fixed. Raises `KeyError` if unknown."""
    return CONTRADICTIONS.get(CATALOGUE[type_name].name, ())
