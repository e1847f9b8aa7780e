"""The sentences of the pages themselves. What they show comes from the catalogue and the problem tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from events.faults.problems import Bilingual

_B = Bilingual

SECTIONS: Final[tuple[tuple[str, Bilingual, Bilingual], ...]] = (
    (
        "/docs/quickstart",
        _B("البداية السريعة", "Quick start"),
        _B("من لا شيء إلى حدث مسجَّل مع برهانه.", "From nothing to an event in the log, with its proof."),
    ),
    (
        "/docs/events",
        _B("دليل الأحداث", "Events"),
        _B("كل نوع: معناه وحقوله ومثاله ومخططه.", "Every type: meaning, fields, example and schema."),
    ),
    (
        "/docs/refusals",
        _B("أسباب الرفض", "Refusals"),
        _B("كل رمز: سببه وعلاجه ومثاله.", "Every code: its cause, the remedy, an example."),
    ),
    (
        "/docs/gateway",
        _B("البوابة", "Gateway"),
        _B("الإرسال والإيصالات والبراهين على HTTP.", "Sending, receipts and proofs over HTTP."),
    ),
    (
        "/docs/api",
        _B("واجهة HTTP", "HTTP API"),
        _B("وثيقة OpenAPI، ويمكن التجربة منها.", "The OpenAPI document, to read and to try."),
    ),
    (
        "/docs/asyncapi",
        _B("قنوات كافكا", "Kafka"),
        _B("من يكتب ومن يقرأ، وأي رسائل.", "Who writes, who reads, and which messages."),
    ),
)
"""Path, name and what is there."""

MORE: Final[tuple[tuple[str, Bilingual, Bilingual], ...]] = (
    (
        "/docs/files",
        _B("الملفات والجداول", "Files and tables"),
        _B("إرسال الملفات، وتصحيح المرفوض.", "Publishing files, and correcting what was refused."),
    ),
    (
        "/docs/outbox",
        _B("صندوق الصادر في قاعدة الجهة", "The outbox"),
        _B("حدث يغادر مع معاملة قاعدة بيانات الجهة.", "An event that leaves with a transaction of your database."),
    ),
    (
        "/docs/kafka",
        _B("كافكا مع FastStream", "Kafka with FastStream"),
        _B("استلام الحملات المستحقة ونشر أحداث الجهة.", "Receiving campaigns that became due, and publishing events."),
    ),
    (
        "/docs/runbook",
        _B("دليل التشغيل", "Runbook"),
        _B("ما يتوقف، وما يُفعل حينها.", "What can stop, and what to do then."),
    ),
    (
        "/schemas",
        _B("المخططات", "JSON Schemas"),
        _B("مخطط كل نوع، للبرامج.", "The schema of each type, for programs."),
    ),
)
"""The same, of pages that the start page leads to and the navigation does not."""

PROSE_NAMES: Final[Mapping[str, str]] = {path: name.ar for path, name, _ in (*SECTIONS, *MORE)}
"""Arabic names of the pages that are written in `docs/`."""

INTRO: Final = _B(
    "تقول الجهات ما حدث، فيُرقَّم في سجل وطني واحد موقَّع. هنا كل ما يحتاجه من يربط نظامه."
    " تعمل هذه الصفحات دون اتصال بالشبكة.",
    "Agencies say what happened, and one signed national log numbers it. Here is all that whoever connects a system"
    " needs. These pages work without a network.",
)
ENVELOPE: Final = _B(
    "كل حدث كائن CloudEvents 1.0. المطلوب معلَّم بنجمة.",
    "Every event is a CloudEvents 1.0 object. A star marks what is required.",
)
TRY_IT: Final = _B(
    "جرّبه دون تخزين شيء، بعد وضع رمز جهتك في source:", "Try it, nothing is stored (put your agency's code into source):"
)
ANOMALY: Final = _B(
    "حدث مقبول يناقض المعروف لا يغيّر شيئًا، ويظهر في قائمة التناقضات بإحدى هذه القواعد:",
    "An accepted event that contradicts what is known changes nothing and is listed as an anomaly, by one of"
    " these rules:",
)
REFUSALS: Final = _B(
    "كل رفض وثيقة RFC 9457، ونوعه عنوان صفحته هنا. الحدث المرفوض لا يستهلك معرّفه: صحّحه وأرسله بالمعرّف نفسه.",
    "Every refusal is an RFC 9457 problem, and its type is the address of its page here. A refused event does not use"
    " up its id: correct it and send it under the same one.",
)
REFUSED_EVENTS: Final = _B("ما في الحدث", "What is wrong with an event")
REFUSED_REQUESTS: Final = _B("ما في الطلب", "What is wrong with a request")
ASYNCAPI: Final = _B(
    "تكتب كل جهة في موضوعها وحده بمستخدم SCRAM الخاص بها، ولا تقرأ موضوع غيرها.",
    "Each agency writes to its own topic with its own SCRAM user, and reads nobody else's.",
)
ACTIONS: Final[Mapping[str, Bilingual]] = {
    "send": _B("المنصة تكتب", "the platform writes"),
    "receive": _B("المنصة تقرأ", "the platform reads"),
}
DOMAINS: Final[Mapping[str, Bilingual]] = {
    "plan": _B("الخطة", "Plan"),
    "project": _B("المشاريع", "Projects"),
    "service": _B("الخدمات", "Services"),
    "training": _B("التدريب", "Training"),
    "partnership": _B("الشراكات", "Partnerships"),
    "revenue": _B("الإيرادات", "Revenue"),
    "awareness": _B("التوعية", "Awareness"),
    "registry": _B("الجهات", "Agencies"),
    "registrar": _B("المسجِّل", "Registrar"),
    "campaign": _B("الحملات", "Campaigns"),
    "settlement": _B("الكشوف", "Statements"),
    "projection": _B("نماذج القراءة", "Read models"),
}
