"""Every way in which the gateway says no: an RFC 9457 problem with a stable type, in Arabic or English.

Flows in: what is wrong. Flows out: a document and its status. What the door finds in an event keeps the door's own
codes and sentences (`events.problems`); what is wrong with a request has the codes of this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import orjson

from events.problems import PROBLEMS, Bilingual, Fault, arabic_of

Language = Literal["ar", "en"]
RequestCode = Literal[
    "malformed-request",
    "unauthenticated",
    "forbidden",
    "suspended",
    "not-found",
    "method-not-allowed",
    "slow-request",
    "request-too-large",
    "too-many-events",
    "unsupported-media-type",
    "bad-parameter",
    "too-many-requests",
    "kafka-away",
    "database-away",
    "overloaded",
    "outcome-unknown",
    "gateway-fault",
]
REQUEST_CODES: Final[tuple[RequestCode, ...]] = get_args(RequestCode)
PAGE_PREFIX: Final = "/problems/"
"""A problem's type is the address of its page, relative to the gateway, so that it is the same on every one."""

CONTENT_TYPE: Final = "application/problem+json"
ERRORS_MAX: Final = 1_000
"""Beyond this many, faults are counted (`unlisted`) instead of listed."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Status, title and what to do."""

    status: int
    title: Bilingual
    detail: Bilingual


EXPLANATIONS: Final[dict[RequestCode, Explanation]] = {
    "malformed-request": Explanation(
        400,
        Bilingual("الطلب غير صحيح الصيغة", "The request is malformed"),
        Bilingual(
            "تعذرت قراءة متن الطلب؛ يجب أن تكون الدفعة مصفوفة JSON صحيحة، وأن يكون ضغط gzip سليمًا.",
            "The body cannot be read: a batch is one well-formed JSON array, and a gzip body is whole.",
        ),
    ),
    "unauthenticated": Explanation(
        401,
        Bilingual("لم تُعرف هوية المرسل", "The sender is not known"),
        Bilingual(
            "أرسل رمز دخول صالحًا في الترويسة Authorization: Bearer.",
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
    "suspended": Explanation(
        403,
        Bilingual("الجهة موقوفة", "The agency is suspended"),
        Bilingual("راجع مكتب البرنامج لاستئناف الإرسال.", "Ask the programme office to resume it."),
    ),
    "not-found": Explanation(
        404,
        Bilingual("غير موجود", "Not found"),
        Bilingual(
            "لا شيء هنا بهذا العنوان، أو لم تستقبل المنصة حدثًا بهذا المعرّف من جهتك.",
            "Nothing is here under this address, or no event of yours with this id was received.",
        ),
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
    "too-many-requests": Explanation(
        429,
        Bilingual("الطلبات أكثر من المسموح", "There are too many requests"),
        Bilingual("انتظر المدة في الترويسة Retry-After.", "Wait for as long as the header Retry-After says."),
    ),
    "kafka-away": Explanation(
        503,
        Bilingual("التخزين غير متاح الآن", "Storage is not available now"),
        Bilingual("لم يُخزَّن شيء؛ أعد إرسال الأحداث نفسها.", "Nothing was stored; send the same events again."),
    ),
    "database-away": Explanation(
        503,
        Bilingual("قاعدة البيانات غير متاحة الآن", "The database is not available now"),
        Bilingual("لم يُخزَّن شيء؛ أعد المحاولة.", "Nothing was stored; try again."),
    ),
    "overloaded": Explanation(
        503,
        Bilingual("البوابة مشغولة الآن", "The gateway is busy now"),
        Bilingual("لم يُخزَّن شيء؛ أعد إرسال الأحداث نفسها.", "Nothing was stored; send the same events again."),
    ),
    "outcome-unknown": Explanation(
        504,
        Bilingual("النتيجة غير معروفة", "The outcome is unknown"),
        Bilingual(
            "ربما خُزنت الأحداث وربما لم تُخزن. أعد إرسالها بالمعرّفات والبايتات نفسها؛ ما خُزن من قبل يُعد تكرارًا.",
            "The events may or may not be stored. Send them again with the same ids and bytes: what was stored already"
            " is dropped as a duplicate.",
        ),
    ),
    "gateway-fault": Explanation(
        500,
        Bilingual("خطأ في البوابة", "The gateway has a fault"),
        Bilingual(
            "هذا خطأ لدينا. أعد إرسال الأحداث نفسها بالمعرّفات نفسها.",
            "This is a mistake of ours. Send the same events again with the same ids.",
        ),
    ),
}


class Problem(Exception):
    """A request that is answered with a problem of this module. `headers` are added to the answer's."""

    def __init__(
        self,
        code: RequestCode,
        *,
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(code)
        self.code: RequestCode = code
        self.errors = errors
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return EXPLANATIONS[self.code].status


@dataclass(frozen=True, slots=True)
class EventFaults:
    """What the door found in the event at this place of the request (0 for a single one)."""

    place: int
    faults: tuple[Fault, ...]
    id: str | None = None
    """As claimed, where it is well-formed and free of personal data."""


class Refusal(Exception):
    """Events that the door does not let in. `batched`: pointers begin with the event's place in the array."""

    def __init__(self, found: Sequence[EventFaults], *, batched: bool) -> None:
        super().__init__(f"{len(found)} events refused")
        self.found = found
        self.batched = batched

    @property
    def status(self) -> int:
        """413 for a single event that is only too large, else 422."""
        faults = self.found[0].faults
        return 413 if not self.batched and [f.code for f in faults] == ["too-large"] else 422


def problem_document(problem: Problem, language: Language) -> dict[str, Any]:
    """The document for a request that cannot be served."""
    explanation = EXPLANATIONS[problem.code]
    document: dict[str, Any] = {
        "type": PAGE_PREFIX + problem.code,
        "title": getattr(explanation.title, language),
        "status": explanation.status,
        "detail": getattr(explanation.detail, language),
    }
    if problem.errors:
        document["errors"] = list(problem.errors)
    if problem.code == "outcome-unknown":
        document["outcome"] = "unknown"
    return document


def refusal_document(refusal: Refusal, language: Language) -> dict[str, Any]:
    """The document for events with faults: type and title of the first fault's code, and every fault of every event."""
    explained = PROBLEMS[refusal.found[0].faults[0].code]
    errors, count = listed_faults(refusal.found, refusal.batched, language)
    document: dict[str, Any] = {
        "type": PAGE_PREFIX + refusal.found[0].faults[0].code,
        "title": getattr(explained.title, language),
        "status": refusal.status,
        "detail": getattr(explained.remedy, language),
        "errors": errors,
    }
    if count > len(errors):
        document["unlisted"] = count - len(errors)
    return document


def listed_faults(found: Iterable[EventFaults], batched: bool, language: Language) -> tuple[list[dict[str, Any]], int]:
    """The rows of `errors`, at most `ERRORS_MAX`, and how many faults there are. Pointers lead into the body."""
    errors: list[dict[str, Any]] = []
    count = 0
    for event in found:
        for fault in event.faults:
            count += 1
            if len(errors) < ERRORS_MAX:
                errors.append(_row(event, fault, batched, language))
    return errors, count


def _row(event: EventFaults, fault: Fault, batched: bool, language: Language) -> dict[str, Any]:
    row: dict[str, Any] = {
        "code": fault.code,
        "pointer": f"/{event.place}{fault.pointer}" if batched else fault.pointer,
        "detail": arabic_of(fault.detail) if language == "ar" else fault.detail,
    }
    if batched:
        row["event"] = event.place
    if event.id is not None:
        row["id"] = event.id
    return row


def to_bytes(document: dict[str, Any]) -> bytes:
    """The body."""
    return orjson.dumps(document)


def language_of(accept_language: str | None) -> Language:
    """Arabic or English, whichever the header prefers; English where it has no preference."""
    best: tuple[float, Language] = (0.0, "en")
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        quality = _quality(parameters)
        if primary in ("ar", "en") and quality > best[0]:
            best = (quality, "ar" if primary == "ar" else "en")
    return best[1]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
