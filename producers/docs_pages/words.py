"""The pages' own sentences. Their content comes from the catalogue and the problem tables."""

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
        _B("كل رمز: سببه وعلاجه ومثاله.", "Every code: its cause, its remedy, an example."),
    ),
    (
        "/docs/gateway",
        _B("البوابة", "Gateway"),
        _B("الإرسال والإيصالات والبراهين على HTTP.", "Sending, receipts and proofs over HTTP."),
    ),
    (
        "/docs/api",
        _B("واجهة HTTP", "HTTP API"),
        _B("كل مسار: معاملاته وأجسامه وأجوبته، ومثال.", "Every path: parameters, bodies, answers, an example."),
    ),
    (
        "/docs/asyncapi",
        _B("قنوات كافكا", "Kafka"),
        _B("من يكتب ومن يقرأ، وأي رسائل.", "Topics, their writers and readers, and messages."),
    ),
)
"""Path, name and description of the sections in the navigation."""

MORE: Final[tuple[tuple[str, Bilingual, Bilingual], ...]] = (
    (
        "/docs/files",
        _B("الملفات والجداول", "Files and tables"),
        _B("إرسال الملفات، وتصحيح المرفوض.", "Publish files, and correct what was refused."),
    ),
    (
        "/docs/outbox",
        _B("صندوق الصادر في قاعدة الجهة", "The outbox"),
        _B("إرسال الحدث مع معاملة قاعدة بيانات الجهة.", "Send an event with a transaction of your database."),
    ),
    (
        "/docs/campaigns",
        _B("حملات التوعية", "Campaigns"),
        _B("ما على مكتب الإعلام، وتسجيل ما بُث.", "What a press officer must do, and reporting what was aired."),
    ),
    (
        "/docs/kafka",
        _B("كافكا مع FastStream", "Kafka with FastStream"),
        _B("استلام الحملات المستحقة ونشر أحداث الجهة.", "Receiving campaigns that became due, and publishing events."),
    ),
    (
        "/docs/tls",
        _B("التشفير والشهادات", "TLS"),
        _B("اتصال مشفّر بالمنصة، وشهادة للجهة.", "Encrypted connections, and an agency's certificate."),
    ),
    (
        "/docs/runbook",
        _B("دليل التشغيل", "Runbook"),
        _B("ما قد يتوقف، وما العمل عندئذ.", "What can stop, and what to do then."),
    ),
    (
        "/docs/console",
        _B("الواجهة", "The console"),
        _B("صفحات البرنامج لكل دور، والحسابات.", "The programme's pages for each role, and accounts."),
    ),
    (
        "/docs/webhooks",
        _B("ويب هوك", "Webhooks"),
        _B(
            "استلام قيود الحملات في نظامك فور تسجيلها.", "Receiving the entries about campaigns in your system at once."
        ),
    ),
    (
        "/docs/ledger",
        _B("حصص الإيرادات", "Revenue share"),
        _B("الشروط والكشوف، وحساب كل رقم.", "Terms, statements, and how each figure follows."),
    ),
    (
        "/docs/audit",
        _B("التدقيق من الخارج", "Auditing from outside"),
        _B("التحقق من السجل وأرقامه بنسخة منه.", "Verifying the log and its figures from a copy."),
    ),
    (
        "/docs/threat-model",
        _B("نموذج التهديدات", "Threat model"),
        _B("ما تحميه المنصة، وممّن، وما لا تحميه.", "What the platform defends, against whom, and what it does not."),
    ),
    (
        "/schemas",
        _B("المخططات", "JSON Schemas"),
        _B("مخطط كل نوع، للبرامج.", "The schema of each type, for programs."),
    ),
)
"""The same for pages that only the start page links to."""

INTRO: Final = _B(
    "ترسل الجهات أحداثها، فتُرقَّم في سجل وطني واحد موقَّع. في هذه الصفحات كل ما يلزم لربط نظامك، وتعمل دون اتصال بالشبكة.",
    "Agencies send events, and one signed national log numbers them. These pages have all that you need to connect a"
    " system, and they work without a network.",
)
ENVELOPE: Final = _B(
    "كل حدث كائن CloudEvents 1.0. المطلوب معلَّم بنجمة.",
    "Every event is a CloudEvents 1.0 object. A star marks required attributes.",
)
TRY_IT: Final = _B(
    "جرّبه دون تخزين شيء، بعد وضع رمز جهتك في source:", "Try it (nothing is stored; set your agency's code in source):"
)
ANOMALY: Final = _B(
    "حدث مقبول يناقض المعروف لا يغيّر شيئًا، ويظهر في قائمة التناقضات بإحدى هذه القواعد:",
    "An accepted event that contradicts what is known changes nothing and is listed as an anomaly under one of"
    " these rules:",
)
REFUSALS: Final = _B(
    "كل رفض وثيقة RFC 9457، ونوعه عنوان صفحته هنا. الحدث المرفوض لا يستهلك معرّفه: صحّحه وأرسله بالمعرّف نفسه.",
    "Every refusal is an RFC 9457 problem whose type is the address of its page here. A refused event does not use up"
    " its id: correct it and send it with the same id.",
)
REFUSED_EVENTS: Final = _B("ما في الحدث", "What is wrong with an event")
REFUSED_REQUESTS: Final = _B("ما في الطلب", "What is wrong with a request")
ASYNCAPI: Final = _B(
    "تكتب كل جهة في موضوعها وحده بمستخدم SCRAM الخاص بها، ولا تقرأ موضوع غيرها.",
    "Each agency writes only to its own topic, with its own SCRAM user, and cannot read another agency's topic.",
)
ACTIONS: Final[Mapping[str, Bilingual]] = {
    "send": _B("المنصة تكتب", "the platform writes"),
    "receive": _B("المنصة تقرأ", "the platform reads"),
}
API: Final = _B(
    "كل ما تجيب عنه البوابة عبر HTTP، من وثيقة OpenAPI نفسها.",
    "Everything that the gateway answers over HTTP, from its OpenAPI document.",
)
API_SHELL: Final = _B(
    "الأوامر لصدفة Unix: ضع عنوان البوابة في YESSER_GATEWAY، ورمز الدخول في YESSER_TOKEN، وكذلك كل متغير آخر.",
    "Commands are for a Unix shell: set YESSER_GATEWAY to the gateway's address, YESSER_TOKEN to your token, and every"
    " other variable likewise.",
)
API_TAGS: Final[Mapping[str, Bilingual]] = {
    "events": _B("إرسال الأحداث", "Events"),
    "verdicts": _B("نتائج التحقق", "Verdicts"),
    "calendar": _B("التقويم", "Calendar"),
    "programme": _B("البرنامج", "Programme"),
    "revenue share": _B("حصص الإيرادات", "Revenue share"),
    "log": _B("السجل", "Log"),
    "teams": _B("الفرق والاشتراكات", "Teams and subscriptions"),
    "log files": _B("ملفات السجل", "Log files"),
    "documents": _B("الوثائق والمفاتيح", "Documents and keys"),
}
API_SUMMARIES: Final[Mapping[str, str]] = {
    "Send one event or a batch": "إرسال حدث أو دفعة",
    "Validate events without storing them": "التحقق من أحداث دون تخزينها",
    "The verdict on an event": "نتيجة التحقق من حدث",
    "Verdicts on everything sent, in order": "نتائج التحقق من كل ما أُرسل، بالترتيب",
    "Sequence numbers seen and missing": "الأرقام التسلسلية الواردة والمفقودة",
    "A team's due dates as a calendar": "مواعيد فريق في تقويم",
    "A team's due dates for a calendar program": "مواعيد فريق لبرنامج تقويم",
    "The plan at a glance": "الخطة بنظرة واحدة",
    "The service directory": "دليل الخدمات",
    "A service and its history": "خدمة وما جرى لها",
    "The projects": "المشاريع",
    "A project, its phases and its history": "مشروع ومراحله وما جرى له",
    "The awareness campaigns": "حملات التوعية",
    "What an agency must do now": "ما على الجهة الآن",
    "A campaign, its brief, its airings and its history": "حملة ونصها ومرات بثها وما جرى لها",
    "What was aired about each launched service": "ما بُث عن كل خدمة أُطلقت",
    "Partnerships": "الشراكات",
    "A partnership and its terms": "شراكة وشروطها",
    "The statements of a partnership": "كشوف شراكة",
    "The statement of a closed period": "كشف فترة مقفلة",
    "The transfers of a partnership": "تحويلات شراكة",
    "The balances of the accounts": "أرصدة الحسابات",
    "Find entries": "البحث عن قيود",
    "What was accepted and does not fit what is known": "ما قُبل ولا يوافق المعروف",
    "What each agency sent": "ما أرسلته كل جهة",
    "An entry with the proof that it is in the log": "قيد مع برهان وجوده في السجل",
    "Your teams": "فرق جهتك",
    "Add a team": "إضافة فريق",
    "A team": "فريق",
    "Close a team": "إنهاء فريق",
    "A team's contacts": "عناوين فريق",
    "Replace a team's contacts": "استبدال عناوين فريق",
    "Make a calendar's address": "إنشاء عنوان تقويم",
    "Revoke a calendar's address": "إلغاء عنوان تقويم",
    "Your webhooks": "عناوين الويب هوك لجهتك",
    "Add a webhook": "إضافة ويب هوك",
    "Give a webhook new secrets": "إصدار أسرار جديدة لويب هوك",
    "Send an example to a webhook": "إرسال مثال إلى ويب هوك",
    "Disable a webhook": "إيقاف ويب هوك",
    "Enable a webhook again": "تشغيل ويب هوك من جديد",
    "Your subscriptions": "اشتراكات جهتك",
    "Subscribe a team": "اشتراك فريق",
    "End a subscription": "إنهاء اشتراك",
    "The newest signed checkpoint, with cosignatures": "أحدث نقطة تحقق موقَّعة، مع توقيعات الشهود",
    "The newest signed checkpoint": "أحدث نقطة تحقق موقَّعة",
    "The rotations of the log's key": "تبديلات مفتاح السجل",
    "A bundle of entries": "حزمة قيود",
    "A tile of the Merkle tree": "قطعة من شجرة ميركل",
    "The key that signs receipts": "المفتاح الذي يوقّع الإيصالات",
    "All keys that signed receipts": "كل المفاتيح التي وقّعت الإيصالات",
    "What a problem means": "معنى المشكلة",
    "Send messages to a webhook again": "إعادة إرسال رسائل إلى ويب هوك",
    "The transfers of an account": "تحويلات حساب",
    "The proof that the log only grew": "إثبات أن السجل امتداد لما قبله",
    "What is expected of the open periods": "المتوقع من الفترات المفتوحة",
    "The accounts of a partnership": "حسابات شراكة",
    "The newest commitment to each read model": "أحدث بصمة لكل نموذج قراءة",
    "Why a campaign was triggered": "سبب إطلاق حملة",
    "The real history under other terms": "ما جرى فعلًا بشروط أخرى",
    "The log's size, checkpoint and keys": "حجم السجل ونقطة تحققه ومفاتيحه",
    "Expected and actual revenue by period": "الإيراد المتوقع والمحقق في كل فترة",
    "Missing sequence numbers of a month by agency": "الأرقام التسلسلية المفقودة في شهر، لكل جهة",
    "How the figures of a statement follow": "كيف حُسبت أرقام كشف",
    "The plan against the calendar": "الخطة مقارنة بالتقويم",
    "Attempts to deliver to a webhook": "محاولات التوصيل إلى ويب هوك",
    "How a figure of a statement follows": "كيف حُسب رقم من كشف",
    "How many campaigns wait for each next step": "عدد الحملات المنتظرة عند كل خطوة",
    "What a partnership may still bring, and cost": "ما قد تجلبه شراكة وما قد تكلفه",
    "What was refused, and what corrected it": "المرفوض وما صححه",
    "A refusal": "رفض",
    "The entries that made a figure": "القيود التي صنعت رقمًا",
}
"""English summary of an operation → Arabic."""
