"""The closed list of refusal codes: what each means and what the agency should do, in Arabic and English.

A `Fault` is one finding: a code, a JSON pointer into the event as claimed, and one sentence (`details`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, get_args

from events.values.bilingual import Bilingual

Code = Literal[
    "not-utf8",
    "not-json",
    "too-large",
    "too-deep",
    "duplicate-name",
    "number-out-of-range",
    "tombstone",
    "bad-header",
    "missing-field",
    "unknown-field",
    "invalid-value",
    "date-out-of-range",
    "unknown-type",
    "subject-mismatch",
    "foreign-source",
    "not-authorised",
    "personal-data",
    "id-looks-personal",
    "conflict",
]
CODES: Final[tuple[Code, ...]] = get_args(Code)
PROBLEM_TYPE_PREFIX: Final = "urn:yesser:problem:"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. `pointer` is RFC 6901 into the event as claimed; `detail` is a sentence of `details`."""

    pointer: str
    code: Code
    detail: str = ""


class Explanation(NamedTuple):
    """What a code means and what to do about it."""

    title: Bilingual
    remedy: Bilingual


PROBLEMS: Final[dict[Code, Explanation]] = {
    "not-utf8": Explanation(
        Bilingual("الحدث ليس بترميز UTF-8", "The event is not UTF-8"),
        Bilingual("أرسل الحدث بترميز UTF-8 دون علامة ترتيب البايتات.", "Send UTF-8 without a byte order mark."),
    ),
    "not-json": Explanation(
        Bilingual("الحدث ليس كائن JSON", "The event is not a JSON object"),
        Bilingual("أرسل كائن JSON واحدًا صحيحًا لكل سجل.", "Send exactly one well-formed JSON object per record."),
    ),
    "too-large": Explanation(
        Bilingual("الحدث أكبر من الحد المسموح", "The event is too large"),
        Bilingual("اختصر الحدث إلى 61,440 بايت أو أقل.", "Shorten the event to at most 61,440 bytes."),
    ),
    "too-deep": Explanation(
        Bilingual("تداخل الحدث أعمق من الحد المسموح", "The event is nested too deeply"),
        Bilingual("لا تتجاوز ستة عشر مستوى من التداخل.", "Keep within sixteen levels of nesting."),
    ),
    "duplicate-name": Explanation(
        Bilingual("اسم مكرر في الكائن نفسه", "A name occurs twice in one object"),
        Bilingual("اكتب كل اسم مرة واحدة في كل كائن.", "Write each name once per object."),
    ),
    "number-out-of-range": Explanation(
        Bilingual("عدد خارج النطاق المسموح", "A number is out of range"),
        Bilingual("لا تتجاوز الأعداد ±(2^53 − 1).", "Keep integers within ±(2^53 − 1)."),
    ),
    "tombstone": Explanation(
        Bilingual("السجل بلا قيمة", "The record has no value"),
        Bilingual(
            "أرسل الحدث في قيمة السجل؛ لا شيء يُحذف من السجل الوطني.",
            "Send the event as the record's value; nothing is deleted from the national log.",
        ),
    ),
    "bad-header": Explanation(
        Bilingual("ترويسة غير صالحة", "A header is not valid"),
        Bilingual("اكتب ترويسات ce_ بترميز UTF-8.", "Write the ce_ headers as UTF-8."),
    ),
    "missing-field": Explanation(
        Bilingual("حقل مطلوب غير موجود", "A required field is missing"),
        Bilingual("أضف الحقل المشار إليه.", "Add the field that the pointer names."),
    ),
    "unknown-field": Explanation(
        Bilingual("حقل غير معروف", "A field is unknown"),
        Bilingual("احذف الحقل أو صحح اسمه وفق مخطط النوع.", "Remove the field, or correct its name by the schema."),
    ),
    "invalid-value": Explanation(
        Bilingual("قيمة غير صالحة", "A value is not valid"),
        Bilingual("صحح القيمة وفق مخطط النوع.", "Correct the value by the schema of the type."),
    ),
    "date-out-of-range": Explanation(
        Bilingual("تاريخ خارج النطاق المسموح", "A date is out of range"),
        Bilingual(
            "استعمل تاريخًا ميلاديًا بين 1924-08-01 و2077-11-16، ووقتًا بين عامي 1925 و2077.",
            "Use a date within 1924-08-01 … 2077-11-16, and a time within the years 1925 to 2077.",
        ),
    ),
    "unknown-type": Explanation(
        Bilingual("نوع حدث غير معروف", "The event type is unknown"),
        Bilingual("استعمل نوعًا من دليل الأحداث.", "Use a type of the catalogue."),
    ),
    "subject-mismatch": Explanation(
        Bilingual("الموضوع لا يطابق البيانات", "The subject does not match the data"),
        Bilingual(
            "اكتب الموضوع كما يحدده نوع الحدث من حقول البيانات.",
            "Write the subject that the type derives from the data.",
        ),
    ),
    "foreign-source": Explanation(
        Bilingual("المصدر جهة أخرى", "The source is another agency"),
        Bilingual("أرسل باسم جهتك فقط، في موضوعها.", "Send in your own agency's name only, to its own topic."),
    ),
    "not-authorised": Explanation(
        Bilingual("لا يحق للجهة إرسال هذا النوع", "The agency may not send this type"),
        Bilingual("اطلب من مكتب البرنامج إرسال هذا الحدث.", "Ask the programme office to send this event."),
    ),
    "personal-data": Explanation(
        Bilingual("الحدث يحتوي على بيانات شخصية", "The event holds personal data"),
        Bilingual("احذف رقم الهوية؛ استعمل معرّفًا مستعارًا.", "Remove the national id; use a pseudonym."),
    ),
    "id-looks-personal": Explanation(
        Bilingual("المعرّف يشبه رقم هوية", "An id looks like a national id"),
        Bilingual("أضف حرفًا إلى المعرّف، مثل R-1234567890.", "Add a letter to the id, as in R-1234567890."),
    ),
    "conflict": Explanation(
        Bilingual("المعرّف مستعمل لحدث مختلف", "The id was used for a different event"),
        Bilingual("أرسل الحدث المختلف بمعرّف جديد.", "Send a different event under a new id."),
    ),
}


def title_of(code: Code) -> Bilingual:
    return PROBLEMS[code].title


CONFLICT: Final = Fault(
    pointer="",
    code="conflict",
    detail="This id belongs to a different event that was accepted; send another event under a new id.",
)
"""With an event that has no entry yet."""


def conflict_with(index: int) -> Fault:
    """The fault of an event whose id the entry at `index` has."""
    # Parted by commas, no index is ten digits, which would look like a national id.
    sentence = "This id belongs to log entry {entry}, a different event; send this event under a new id."
    return replace(CONFLICT, detail=sentence.format(entry=f"{index:,}"))
