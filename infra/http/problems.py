"""The problems (RFC 9457) that requests are answered with: stable types, in Arabic or English.

In: what is wrong with a request. Out: a document and its status. Faults of events have the codes of
`events.faults.problems`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import orjson

from events.errors import YesserError
from events.values.bilingual import Bilingual, Language
from events.values.reading_order import text_of
from infra.http.negotiation import weighted

RequestCode = Literal[
    "malformed-request",
    "unauthenticated",
    "forbidden",
    "wrong-certificate",
    "token-changed",
    "suspended",
    "not-found",
    "no-such-route",
    "method-not-allowed",
    "slow-request",
    "head-too-large",
    "target-too-long",
    "request-too-large",
    "too-many-events",
    "unsupported-media-type",
    "bad-parameter",
    "unknown-parameter",
    "invalid-body",
    "not-allowed-now",
    "too-many-requests",
    "too-many-connections",
    "kafka-away",
    "database-away",
    "overloaded",
    "outcome-unknown",
    "gateway-fault",
]
REQUEST_CODES: Final[tuple[RequestCode, ...]] = get_args(RequestCode)
PAGE_PREFIX: Final = "/problems/"
"""A problem's type is the address of its page, on the gateway that was asked."""
_HOST: Final = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,255}")

CONTENT_TYPE: Final = "application/problem+json"
CHANGED_ENTRY: Final = "changed-entry"
"""The code of the error in a problem: an entry that the answer follows from was changed after it was registered."""
_ACCEPT_LANGUAGE_LENGTH_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Explanation:
    """A problem's status, title and remedy."""

    status: int
    title: Bilingual
    detail: Bilingual


EXPLANATIONS: Final[dict[RequestCode, Explanation]] = {
    "malformed-request": Explanation(
        400,
        Bilingual("الطلب غير صحيح الصيغة", "The request is malformed"),
        Bilingual(
            "تعذرت قراءة متن الطلب؛ يجب أن تكون الدفعة مصفوفة JSON صحيحة، وأن يكون ضغط gzip سليمًا.",
            "The body cannot be read: send a batch as one well-formed JSON array, and a complete gzip body.",
        ),
    ),
    "unauthenticated": Explanation(
        401,
        Bilingual("لم تُعرف هوية المرسل", "The sender is not known"),
        Bilingual(
            "أرسل رمز دخول صالحًا واحدًا في الترويسة Authorization: Bearer. قد يكون الرمز خطأ أو منتهيًا أو ملغى.",
            "Send one valid token in the header Authorization: Bearer. It may be wrong, expired or revoked.",
        ),
    ),
    "forbidden": Explanation(
        403,
        Bilingual("لا يسمح رمز الدخول بهذا", "The token does not allow this"),
        Bilingual(
            "اطلب من مكتب البرنامج رمزًا بالصلاحية المطلوبة.",
            "Ask the programme office for a token with the scope that this needs.",
        ),
    ),
    "wrong-certificate": Explanation(
        403,
        Bilingual("شهادة العميل ليست لصاحب رمز الدخول", "The certificate is not that of the token's holder"),
        Bilingual(
            "اتصل بشهادة العميل الصادرة لجهتك، ومعها رمز الدخول.",
            "Connect with the client certificate that was issued to your agency, and send its token.",
        ),
    ),
    "token-changed": Explanation(
        403,
        Bilingual("تغيّر سجل رمز الدخول", "The token's record has changed"),
        Bilingual(
            "سجل هذا الرمز ليس كما أُنشئ، أو أُنشئ في إصدار سابق. اطلب من مكتب البرنامج رمزًا جديدًا.",
            "The token's record is not as it was created, or is of an earlier release. Ask the programme office for a"
            " new token.",
        ),
    ),
    "suspended": Explanation(
        403,
        Bilingual("الجهة موقوفة", "The agency is suspended"),
        Bilingual("راجع مكتب البرنامج لاستئناف الإرسال.", "Ask the programme office to resume it."),
    ),
    "not-found": Explanation(
        404,
        Bilingual("غير موجود", "Not found"),
        Bilingual(
            "لا يوجد شيء بهذا العنوان، أو لا يحق لك الاطلاع عليه، أو لم تستقبل المنصة حدثًا بهذا المعرّف من جهتك.",
            "Nothing is here under this address, or you do not have access to it, or no event of yours with this"
            " id was received.",
        ),
    ),
    "no-such-route": Explanation(
        404,
        Bilingual("لا يوجد مسار كهذا", "No such route"),
        Bilingual("لا يوجد مسار كهذا؛ قائمة المسارات في /docs/api.", "No such route; the list is at /docs/api."),
    ),
    "method-not-allowed": Explanation(
        405,
        Bilingual("الطريقة غير مسموحة", "The method is not allowed"),
        Bilingual("استعمل طريقة من الترويسة Allow.", "Use a method of the header Allow."),
    ),
    "slow-request": Explanation(
        408,
        Bilingual("لم يصل الطلب في وقته", "The request did not arrive in time"),
        Bilingual("لم يُخزَّن شيء؛ أعد الإرسال.", "Nothing was stored; send it again."),
    ),
    "head-too-large": Explanation(
        431,
        Bilingual("ترويسات الطلب أكبر من الحد المسموح", "The head of the request is too large"),
        Bilingual("أرسل ترويسات أقصر؛ لم يُخزَّن شيء.", "Send shorter headers; nothing was stored."),
    ),
    "target-too-long": Explanation(
        414,
        Bilingual("عنوان الطلب أطول من الحد المسموح", "The request target is too long"),
        Bilingual("أرسل مسارًا ومعاملات لا يتجاوز طولها 8 كيلوبايت.", "Send a path and query of at most 8 KiB."),
    ),
    "request-too-large": Explanation(
        413,
        Bilingual("الطلب أكبر من الحد المسموح", "The request is too large"),
        Bilingual("أرسل دفعات أصغر؛ لم يُخزَّن شيء.", "Send smaller batches; nothing was stored."),
    ),
    "too-many-events": Explanation(
        413,
        Bilingual("عدد الأحداث أكبر من الحد المسموح", "There are too many events in the request"),
        Bilingual("أرسل دفعات أصغر؛ لم يُخزَّن شيء.", "Send smaller batches; nothing was stored."),
    ),
    "unsupported-media-type": Explanation(
        415,
        Bilingual("نوع المحتوى غير مدعوم", "The content type is not supported"),
        Bilingual(
            "أرسل application/cloudevents+json أو application/cloudevents-batch+json، أو application/json مع"
            " ترويسات ce-، بترميز UTF-8، دون ضغط أو بضغط gzip.",
            "Send application/cloudevents+json, application/cloudevents-batch+json, or application/json with ce-"
            " headers, in UTF-8, plain or gzip.",
        ),
    ),
    "bad-parameter": Explanation(
        422,
        Bilingual("معامل غير صالح", "A parameter is not valid"),
        Bilingual("صحح المعامل وفق وثيقة OpenAPI.", "Correct the parameter by the OpenAPI document."),
    ),
    "unknown-parameter": Explanation(
        400,
        Bilingual("معامل غير معروف", "Unknown query parameter"),
        Bilingual(
            "صحح اسم المعامل أو احذفه؛ الأسماء المعروفة في errors.",
            "Correct the parameter's name, or leave it out. The known names are in `errors`.",
        ),
    ),
    "invalid-body": Explanation(
        422,
        Bilingual("في متن الطلب حقول غير صالحة", "Fields of the body are not valid"),
        Bilingual(
            "صحح كل حقل تذكره errors؛ لم يتغير شيء.", "Correct each field that `errors` names; nothing was changed."
        ),
    ),
    "not-allowed-now": Explanation(
        409,
        Bilingual("الحالة الحالية لا تسمح بهذا التغيير", "The current state does not allow this change"),
        Bilingual(
            "في errors ما يمنعه وما العمل؛ لم يتغير شيء.",
            "`errors` says what prevents it and what to do; nothing was changed.",
        ),
    ),
    "too-many-requests": Explanation(
        429,
        Bilingual("الطلبات أكثر من المسموح", "There are too many requests"),
        Bilingual("انتظر المدة المحددة في الترويسة Retry-After.", "Wait for the time in the header Retry-After."),
    ),
    "too-many-connections": Explanation(
        429,
        Bilingual("الاتصالات من عنوانك أكثر من المسموح", "There are too many connections from your address"),
        Bilingual(
            "أعد استخدام الاتصالات المفتوحة، أو أغلق بعضها ثم حاول من جديد.",
            "Reuse open connections, or end some of them and try again.",
        ),
    ),
    "kafka-away": Explanation(
        503,
        Bilingual("التخزين غير متاح الآن", "Storage is not available now"),
        Bilingual("لم يُخزَّن شيء؛ أعد إرسال الأحداث نفسها.", "Nothing was stored; send the same events again."),
    ),
    "database-away": Explanation(
        503,
        Bilingual("قاعدة البيانات غير متاحة الآن", "The database is not available now"),
        Bilingual(
            "أعد المحاولة. إن كنت أرسلت أحداثًا فلم يُخزَّن منها شيء.", "Try again. If you sent events, none was stored."
        ),
    ),
    "overloaded": Explanation(
        503,
        Bilingual("البوابة مشغولة الآن", "The gateway is busy now"),
        Bilingual(
            "لم يُخزَّن شيء؛ أعد الطلب نفسه بعد المدة المحددة في الترويسة Retry-After.",
            "Nothing was stored; send the same request again after the time in the header Retry-After.",
        ),
    ),
    "outcome-unknown": Explanation(
        504,
        Bilingual("النتيجة غير معروفة", "The outcome is unknown"),
        Bilingual(
            "ربما خُزنت الأحداث وربما لم تُخزن. أعد إرسالها بالمعرّفات والبايتات نفسها؛ ما خُزن من قبل يُعد تكرارًا.",
            "The events may or may not be stored. Send them again with the same ids and bytes: stored events are"
            " dropped as duplicates.",
        ),
    ),
    "gateway-fault": Explanation(
        500,
        Bilingual("خطأ في البوابة", "The gateway has an error"),
        Bilingual(
            "هذا خطأ لدينا. أعد المحاولة، وأرسل الأحداث بالمعرّفات نفسها.",
            "This is our error. Try again, and send events with the same ids.",
        ),
    ),
}


class Problem(YesserError):
    """The request is answered with a problem. `headers` are added to the response.

    A member of `errors` that is in both languages is answered in the reader's. `detail` is narrower than the code's.
    """

    def __init__(
        self,
        code: RequestCode,
        *,
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        detail: Bilingual | None = None,
    ) -> None:
        super().__init__(code)
        self.detail = detail or EXPLANATIONS[code].detail
        self.code: RequestCode = code
        self.errors = errors
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)

    @property
    def status(self) -> int:
        return EXPLANATIONS[self.code].status


RESTORED: Final = Bilingual(
    "أُعيد تشغيل قاعدة البيانات أو استُعيدت من نسخة احتياطية، ولا يُقرأ نص من أي حدث قبل أن تُقارن بالسجل. أعد المحاولة بعد"
    " قليل.",
    "The database was restarted or restored, and no text of an event is read before it is compared with the log. Try"
    " again in a moment.",
)
"""The detail of `database-away` where the database answers, and may have a text that is withheld."""


def changed_entry(index: int | None) -> Problem:
    """The answer (500) to a request whose answer would follow from entries that are not what was registered.

    An error's own words are for the operator.
    """
    detail = Bilingual(
        "ما هو مخزَّن يخالف السجل. يُشتبه في عبث، وفي دليل التشغيل ما يلزم.",
        "What is stored differs from the log: suspect tampering, and see the runbook.",
    )
    if index is not None:
        detail = Bilingual(
            "تغيّر القيد {} بعد تسجيله. يُشتبه في عبث، وفي دليل التشغيل ما يلزم.",
            "Entry {} of the log was changed after it was registered: suspect tampering, and see the runbook.",
        ).format(index)
    row = {"code": CHANGED_ENTRY, "detail": detail, **({} if index is None else {"id": str(index)})}
    return Problem("gateway-fault", errors=[row])


def asked_address(
    public: str | None, scheme: str, headers: Iterable[tuple[bytes, bytes]], server: tuple[str, int | None] | None
) -> str:
    """What links to this gateway begin with: its public address, else the host that the request names, else the address
    that took it."""
    if public is not None:
        return public.rstrip("/")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) == 1 and _HOST.fullmatch(hosts[0]):
        return f"{scheme}://{hosts[0].decode()}"
    if server is None:
        return ""
    host, port = server
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def problem_document(problem: Problem, language: Language, address: str = "") -> dict[str, Any]:
    """The response body of a problem, in this language. `address` is what the address of its page begins with."""
    explanation = EXPLANATIONS[problem.code]
    document: dict[str, Any] = {
        "type": address + PAGE_PREFIX + problem.code,
        "title": text_of(explanation.title, language),
        "status": explanation.status,
        "detail": text_of(problem.detail, language),
    }
    if problem.errors:
        document["errors"] = [
            {name: text_of(value, language) if isinstance(value, Bilingual) else value for name, value in row.items()}
            for row in problem.errors
        ]
    if problem.code == "outcome-unknown":
        document["outcome"] = "unknown"
    return document


def to_bytes(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document)


def language_of(accept_language: str | None, default: Language = "en") -> Language:
    """Arabic or English, as the header prefers; else `default`. Only the beginning of a long header is read."""
    best: tuple[float, Language] = (0.0, default)
    for tag, quality in weighted((accept_language or "")[:_ACCEPT_LANGUAGE_LENGTH_MAX]):
        primary = tag.partition("-")[0]
        if primary in ("ar", "en") and quality > best[0]:
            best = (quality, "ar" if primary == "ar" else "en")
    return best[1]
