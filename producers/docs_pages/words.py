"""The pages' own sentences. Their content comes from the catalogue and the problem tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import orjson

from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from events.values.bilingual import Bilingual

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
        _B("كل مسار: معاملاته ومتنه وأجوبته، ومثال.", "Every path: parameters, bodies, answers, an example."),
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
API_PLACES: Final[Mapping[str, Bilingual]] = {
    "path": _B("في المسار", "path"),
    "query": _B("في الاستعلام", "query"),
    "header": _B("ترويسة", "header"),
}
"""Where a parameter is."""


@cache
def api_texts() -> Mapping[str, str]:
    """English text of the OpenAPI document → Arabic; an event's attributes have theirs in `ATTRIBUTE_MEANINGS`."""
    pairs = orjson.loads(files("producers.docs_pages").joinpath("api_texts.json").read_bytes())
    meanings = {meaning.en: meaning.ar for meaning in ATTRIBUTE_MEANINGS.values()}
    return meanings | {pair["en"]: pair["ar"] for pair in pairs}
