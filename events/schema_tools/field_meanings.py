"""The meaning of each attribute of an event and each member of its `data`, in Arabic and English.

A sentence is keyed by the member's path in `data`. Where the same path means different things, the key begins with the
type (`service.launched/on`) or its domain (`campaign/kind`), and the narrowest key wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from events.values.bilingual import Bilingual

_B = Bilingual

ATTRIBUTE_MEANINGS: Final[Mapping[str, Bilingual]] = {
    "specversion": _B("إصدار مواصفة CloudEvents.", "The version of the CloudEvents specification."),
    "id": _B(
        "معرّف الحدث لدى الجهة؛ إعادة الإرسال تكون بالمعرّف نفسه.",
        "The event's id at its agency; send again under the same one.",
    ),
    "source": _B("الجهة المرسلة.", "The agency that sends it."),
    "type": _B("ما حدث: أحد أنواع هذا الدليل.", "What happened: one of the types of this catalogue."),
    "subject": _B("ما يخصه الحدث، مأخوذًا من البيانات.", "What the event is about, derived from the data."),
    "time": _B("وقت الحدث بصيغة RFC 3339 مع فرق التوقيت.", "When it happened: RFC 3339 with offset."),
    "datacontenttype": _B("إن وُجد: application/json.", "Where given: application/json."),
    "dataschema": _B("إن وُجد: عنوان مخطط النوع.", "Where given: the schema's URI of this type."),
    "sequence": _B("رقم متسلسل من 20 خانة يكشف ما ضاع.", "A sequence number of 20 digits; a gap shows what was lost."),
    "traceparent": _B("سياق التتبع (W3C).", "Trace context (W3C)."),
    "tracestate": _B("سياق التتبع (W3C).", "Trace context (W3C)."),
    "partitionkey": _B("يُقبل ولا يُستعمل.", "Accepted and not used."),
    "correlationid": _B("يربط أحداثًا تخص أمرًا واحدًا.", "Links related events."),
    "causationid": _B("معرّف الحدث المسبِّب.", "The id of the event that caused this one."),
    "hijridate": _B(
        "التاريخ الهجري للقارئ؛ لا يُحسب منه شيء.", "The Hijri date for readers; nothing is computed from it."
    ),
    "data": _B("بيانات الحدث: حقول كل نوع في صفحته.", "The event's data: the fields are on the type's page."),
}

MEANINGS: Final[Mapping[str, Bilingual]] = {
    # Common fields
    "reason": _B("السبب بعبارة واضحة.", "The reason, in plain words."),
    "to": _B("رمز الجهة التي تنتقل إليها الملكية.", "The code of the new owner."),
    "on": _B("اليوم الذي حدث فيه ذلك.", "The day it happened."),
    "name": _B("الاسم المعلن.", "The public name."),
    "project/name": _B("اسم المشروع المعلن.", "The project's public name."),
    "service/name": _B("اسم الخدمة المعلن.", "The service's public name."),
    "origin": _B("معرّف المكان الذي أُرسل منه.", "The id of the place that it was sent from."),
    "legal_basis": _B("السند النظامي، مثل رقم القرار وتاريخه.", "The legal basis, such as a resolution and its date."),
    # The plan
    "plan_id": _B("معرّف الخطة.", "The plan's id."),
    "plan.adopted/starts_on": _B("أول يوم في الخطة.", "The first day of the plan."),
    "plan.adopted/ends_on": _B("آخر يوم في الخطة.", "The last day of the plan."),
    "targets": _B("كل أهداف الخطة، كاملة في كل مرة.", "All targets of the plan, complete each time."),
    "targets.infrastructure_projects": _B(
        "عدد مشاريع البنية التحتية المستهدفة.", "Infrastructure projects to be completed."
    ),
    "targets.national_applications": _B("عدد التطبيقات الوطنية المستهدفة.", "National applications to be built."),
    "targets.services": _B("عدد الخدمات المستهدفة لكل مجموعة.", "Services to be launched, by group."),
    "targets.services.1": _B("هدف المجموعة الأولى.", "The target of group 1."),
    "targets.services.2": _B("هدف المجموعة الثانية.", "The target of group 2."),
    "targets.services.3": _B("هدف المجموعة الثالثة.", "The target of group 3."),
    # Projects
    "project_id": _B("معرّف المشروع، وحيد على المستوى الوطني.", "The project's id, unique in the country."),
    "project/kind": _B("مشروع بنية تحتية أو تطبيق وطني.", "Infrastructure, or a national application."),
    "phases": _B("مراحل المشروع مرقمة 1، 2، 3 … بالترتيب.", "The phases, numbered 1, 2, 3 … in order."),
    "phases[].phase": _B("رقم المرحلة.", "The phase's number."),
    "phases[].name": _B("اسم المرحلة.", "The phase's name."),
    "phase": _B("رقم المرحلة المعنية.", "The number of the phase."),
    # Services
    "service_id": _B("معرّف الخدمة، وحيد على المستوى الوطني.", "The service's id, unique in the country."),
    "group": _B("مجموعة الخدمة في الخطة.", "The service's group in the plan."),
    "service.launched/channels": _B("القنوات التي تُقدَّم بها الخدمة.", "How the service reaches its users."),
    "service.launched/on": _B("يوم إتاحة الخدمة للمستفيدين.", "The day it became available to users."),
    "url": _B("عنوان الخدمة على الشبكة.", "The address of the service on the web."),
    # Training
    "calendar": _B("تقويم السنة.", "The calendar of the year."),
    "year": _B("السنة بذلك التقويم.", "The year of that calendar."),
    "track": _B("مسار التدريب.", "The training track."),
    "seats": _B("عدد المقاعد المستهدف.", "How many trainees are to be certified."),
    "certificate_id": _B("معرّف الشهادة لدى الجهة المانحة.", "The certificate's id at the agency that issued it."),
    "trainee": _B(
        "المتدرب، بمعرّف مستعار تصنعه الجهة بمفتاح؛ ليس رقم شخص.",
        "The trainee, by a keyed pseudonym that the agency makes; never a person's number.",
    ),
    "training.certified/on": _B("يوم منح الشهادة؛ به تُحدد السنة.", "The date of the certificate; it decides the year."),
    "employer": _B("رمز جهة عمل المتدرب.", "The code of the agency that employs the trainee."),
    # Partnerships
    "workshop_id": _B("معرّف الورشة.", "The workshop's id."),
    "topic": _B("موضوع الورشة.", "What the workshop is about."),
    "place": _B("مكان الورشة.", "Where the workshop is held."),
    "partners": _B("الشركاء الذين يعقدونها مع مكتب البرنامج.", "The partners that hold it with the office."),
    "framework_id": _B("معرّف الإطار.", "The framework's id."),
    "title": _B("عنوان الوثيقة.", "The document's title."),
    "partnership_id": _B("معرّف عقد الشراكة، وحيد على المستوى الوطني.", "The partnership's id, unique in the country."),
    "partner": _B("الشريك من القطاع الخاص.", "The partner from the private sector."),
    "partner.partner_id": _B("معرّف الشريك.", "The partner's id."),
    "partner.name": _B("اسم الشريك.", "The partner's name."),
    "services": _B("الخدمات المشمولة بالعقد، دون تكرار.", "The services of the contract, without repeats."),
    "signed_on": _B("يوم التوقيع.", "The date of signature."),
    "effective_from": _B("أول فترة تسري عليها الشروط الجديدة.", "The first period under the new terms."),
    "terms": _B("شروط تقاسم الإيراد كاملة.", "The complete terms of the revenue share."),
    "terms.starts_on": _B("أول يوم في العقد.", "The first day of the term."),
    "terms.ends_on": _B("آخر يوم في العقد.", "The last day of the term."),
    "terms.calendar": _B("تقويم الفترات.", "The calendar of the periods."),
    "terms.period": _B("طول الفترة المحاسبية.", "The length of an accounting period."),
    "terms.tier_basis": _B(
        "ما تُجمع عليه الشرائح: مدة العقد أو سنته.",
        "What the bands are cumulative over: the whole term, or a contract year.",
    ),
    "terms.bands": _B("الشرائح تصاعديًا؛ الأخيرة وحدها بلا حد.", "The bands, ascending; only the last has no limit."),
    "terms.bands[].up_to_halalas": _B(
        "نهاية الشريحة بالهللات المتراكمة.", "The upper limit of the band, in cumulative halalas."
    ),
    "terms.bands[].partner_bp": _B("حصة الشريك من كل عشرة آلاف.", "The partner's share in 1/10,000."),
    "terms.cap": _B("سقف لحصة الشريك، أو null.", "A cap on the partner's share, or null."),
    "terms.cap.amount_halalas": _B("السقف بالهللات.", "The cap in halalas."),
    "terms.cap.partner_bp_after": _B("حصته بعد السقف من كل عشرة آلاف.", "The share beyond the cap, in 1/10,000."),
    "terms.guarantee": _B("حصة دنيا مضمونة للشريك، أو null.", "A guaranteed minimum share, or null."),
    "terms.guarantee.partner_floor_bp_of_expected": _B(
        "الحصة الدنيا من المتوقع، من كل عشرة آلاف.", "The minimum share of the expected revenue, in 1/10,000."
    ),
    "terms.guarantee.recoverable": _B(
        "هل تُسترد التكملة من فترات أفضل.", "Whether top-ups are recovered from better periods."
    ),
    "terms.expected": _B(
        "الإيراد المتوقع لكل فترة من المدة، أو قائمة فارغة.",
        "The expected revenue of each period of the term, or an empty list.",
    ),
    "terms.expected[].period": _B("الفترة.", "The period."),
    "terms.expected[].amount_halalas": _B("الإيراد المتوقع بالهللات.", "The expected revenue in halalas."),
    # Revenue
    "receipt_id": _B("معرّف التحصيل ضمن العقد.", "The receipt's id within the partnership."),
    "revenue.collected/amount_halalas": _B("المبلغ المحصّل بالهللات.", "The collected amount in halalas."),
    "collected_on": _B("يوم التحصيل؛ به تُحدد الفترة.", "The date of collection; it decides the period."),
    "receipts": _B("عدد التحصيلات المجموعة في هذا الحدث.", "The number of receipts that this event sums."),
    "reversal_id": _B("معرّف الرد ضمن العقد.", "The reversal's id within the partnership."),
    "reverses": _B("معرّف التحصيل المردود.", "The id of the receipt that is reversed."),
    "revenue.reversed/amount_halalas": _B("المبلغ المردود بالهللات.", "The reversed amount in halalas."),
    "reversed_on": _B("يوم الرد.", "The date of the reversal."),
    "revenue.period-closed/period": _B(
        "الفترة التي أُرسلت كل تحصيلاتها.", "The period whose receipts have all been sent."
    ),
    "payout_id": _B("معرّف الصرف ضمن العقد.", "The payout's id within the partnership."),
    "revenue.paid-out/amount_halalas": _B("المبلغ المصروف بالهللات.", "The amount paid, in halalas."),
    "paid_on": _B("يوم الصرف.", "The date of the payment."),
    # Awareness
    "initiative_id": _B("معرّف المبادرة.", "The initiative's id."),
    "aim": _B("هدف المبادرة.", "The aim of the initiative."),
    "campaign_id": _B("معرّف الحملة كما في campaign.triggered.", "The campaign's id, as campaign.triggered gives it."),
    "by": _B("مكتب أو فريق؛ ليس شخصًا.", "A desk or a team, never a person."),
    "airing_id": _B("معرّف البث ضمن الحملة.", "The airing's id within the campaign."),
    "channel": _B("قناة البث.", "The channel of the airing."),
    "outlet": _B("اسم القناة أو الصحيفة.", "The name of the station or the newspaper."),
    "reach": _B("الوصول: عدد من وصلهم تقديرًا.", "The reach: the estimated number of people reached."),
    "awareness.campaign-airing-corrected/reach": _B(
        "العدد الصحيح لمن وصلهم؛ يحل محل ما سُجّل.", "The right number of people reached; it replaces the one reported."
    ),
    "awareness.campaign-airing-corrected/on": _B("يوم التصحيح.", "The day of the correction."),
    # Platform events
    "code": _B("رمز الجهة.", "The agency's code."),
    "role": _B("دور الجهة: ما يحق لها إرساله.", "The agency's role: what it may send."),
    "campaign/rule": _B("القاعدة التي أطلقت الحملة.", "The rule that triggered the campaign."),
    "rules_version": _B("إصدار القواعد.", "The version of the rules."),
    "cause_index": _B("رقم القيد المسبِّب في السجل.", "The index of the entry that caused it."),
    "campaign/kind": _B("لخدمة بعينها أو عامة.", "For one service, or general."),
    "owner": _B("الجهة المسؤولة عن الحملة.", "The agency that runs the campaign."),
    "campaign/service_id": _B("الخدمة، إن كانت الحملة لخدمة بعينها.", "The service, where the campaign is for one."),
    "campaign/channels": _B("القنوات المطلوبة.", "The required channels."),
    "due_on": _B("آخر يوم عمل للبث.", "The last working day for airing."),
    "brief": _B("المطلوب من الفريق.", "What the team is asked to do."),
    "urgency": _B("مدى الاستعجال؛ عادي إن لم يُذكر.", "How urgent it is; normal where it is not given."),
    "campaign/reason": _B("سبب استحقاق الحملة.", "Why the campaign is due."),
    "address": _B("عنوان السجل المرفوض: الموضوع/القسم/الموضع.", "The refused record: topic/partition/offset."),
    "registrar.refused/sha256": _B(
        "بصمة السجل المرفوض، ما لم تُحجب.", "The refused record's hash, unless it is withheld."
    ),
    "claimed_source": _B("المصدر كما ورد، إن كان سليمًا.", "The source as claimed, where it is well-formed."),
    "claimed_id": _B("المعرّف كما ورد، إن كان سليمًا.", "The id as claimed, where it is well-formed."),
    "claimed_type": _B("النوع كما ورد، إن كان سليمًا.", "The type as claimed, where it is well-formed."),
    "problem": _B("سبب الرفض.", "Why it was refused."),
    "problem.type": _B("نوع المشكلة: أول رمز فيها.", "The problem's type: that of its first code."),
    "problem.title": _B("عنوان المشكلة.", "The problem's title."),
    "problem.errors": _B("كل الأخطاء التي وُجدت.", "Every fault that was found."),
    "problem.errors[].code": _B("رمز الرفض.", "The refusal code."),
    "problem.errors[].pointer": _B("موضع الخطأ في الحدث (RFC 6901).", "Where the fault is in the event (RFC 6901)."),
    "problem.errors[].detail": _B("جملة تصف الخطأ.", "One sentence that describes the fault."),
    "problem.unlisted": _B("عدد الأخطاء التي لم تُذكر.", "The number of faults that are not listed."),
    "registrar.catalogue-adopted/sha256": _B(
        "بصمة مخططات دليل الأحداث (RFC 8785).", "The hash of the catalogue's schemas (RFC 8785)."
    ),
    "registry.text-withheld/entry": _B("القيد الذي يُحجب نص من حدثه.", "The entry, of whose event a text is withheld."),
    "pointer": _B("موضع النص في الحدث (RFC 6901).", "Where the text is in the event (RFC 6901)."),
    "registry.text-withheld/reason": _B("سبب الحجب، دون أسماء.", "Why it is withheld, without names."),
    "release": _B("إصدار المنصة.", "The platform's release."),
    "projection.committed/name": _B("اسم نموذج القراءة.", "The read model's name."),
    "log_index": _B("موضع السجل الذي حُسبت عنده.", "The log position at which it was computed."),
    "rows": _B("عدد الصفوف.", "The number of rows."),
    "projection.committed/sha256": _B("بصمة الصفوف.", "The hash of the rows."),
    "fold_version": _B(
        "إصدار القواعد التي أنتجت الصفوف؛ لا تذكره الإصدارات السابقة.",
        "The version of the fold that made the rows; earlier releases give none.",
    ),
    "projection.commitment-acknowledged/name": _B("اسم نموذج القراءة.", "The read model's name."),
    "commitment_index": _B("رقم قيد البصمة الخاطئة.", "The index of the wrong commitment's entry."),
    "projection.commitment-acknowledged/reason": _B("السبب وما عُمل.", "The cause, and what was done."),
    # The statement of a closed period
    "settlement.issued/period": _B("الفترة المقفلة.", "The closed period."),
    "contract_version": _B("إصدار الشروط الساري: 0 كما وُقّع.", "The version of the terms in force: 0 as signed."),
    "opening_cumulative_halalas": _B("صافي المتراكم قبل الفترة.", "The cumulative net before the period."),
    "collected_halalas": _B("المحصّل في الفترة.", "Collected in the period."),
    "reversed_halalas": _B("المردود في الفترة.", "Reversed in the period."),
    "net_halalas": _B("المحصّل ناقصًا المردود.", "Collected less reversed."),
    "prior_period_halalas": _B("ما يعود من الصافي إلى فترات مقفلة.", "The part of net that belongs to closed periods."),
    "closing_cumulative_halalas": _B("صافي المتراكم بعد الفترة.", "The cumulative net after the period."),
    "partner_base_halalas": _B("حصة الشريك بالشرائح.", "The partner's share by the bands."),
    "guarantee_halalas": _B("الحصة الدنيا المضمونة.", "The guaranteed minimum share."),
    "top_up_halalas": _B("التكملة إلى الحصة الدنيا.", "The top-up to the minimum share."),
    "recovered_halalas": _B("ما استُرد من تكملات سابقة.", "Recovered from earlier top-ups."),
    "top_up_outstanding_halalas": _B("ما بقي من التكملات للاسترداد.", "Top-ups not yet recovered."),
    "partner_total_halalas": _B("مجموع مستحق الشريك.", "The partner's total."),
    "treasury_total_halalas": _B("حصة الخزينة.", "The treasury's share."),
    "expected_halalas": _B("المتوقع للفترة.", "The expected revenue of the period."),
    "first_index": _B("أول قيد مرحّل إلى الفترة.", "The first entry posted to the period."),
    "last_index": _B("آخر قيد مرحّل إلى الفترة.", "The last entry posted to the period."),
    "closing_index": _B("رقم قيد الإقفال.", "The index of the entry that closed it."),
}


def meaning_of(type_name: str, path: str) -> Bilingual:
    """The meaning of a member of a type's data. Raises `LookupError` if there is none."""
    domain = type_name.partition(".")[0]
    for key in (f"{type_name}/{path}", f"{domain}/{path}", path):
        if key in MEANINGS:
            return MEANINGS[key]
    raise LookupError(
        f"The field {path} of {type_name} has no meaning: add a sentence under {path!r} to MEANINGS in "
        "events/schema_tools/field_meanings.py."
    )
