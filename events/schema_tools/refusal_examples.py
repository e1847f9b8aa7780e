"""For each refusal code its usual cause and an example: a valid event, what is wrong in it, and the faults.

In: a golden example (`base`) with one fragment replaced. Out: the faults that validation itself finds, so an example
cannot differ from the registrar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from events.faults.problems import CONFLICT, Code, Fault
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.values.bilingual import Bilingual
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.kafka_binding import Headers

EXAMPLES_FOLDER: Final = Path(__file__).parents[1] / "examples" / "v1"
SENDER: Final = Agency("health", "agency")
"""The agency that sends the golden examples."""

_B = Bilingual


@dataclass(frozen=True, slots=True)
class RefusalExample:
    """`right` is in the golden example of `base`; with `wrong` in its place the event is refused.

    `shown` is displayed where `wrong` cannot or must not be printed. A `wrong` of None is a record without a value.
    """

    cause: Bilingual
    right: str = ""
    wrong: bytes | None = b""
    shown: str | None = None
    base: str = "service.launched"
    headers: Headers = tuple(STRUCTURED_HEADERS)

    @property
    def wrong_text(self) -> str:
        return (self.wrong or b"").decode() if self.shown is None else self.shown


def golden_example(type_name: str) -> bytes:
    return (EXAMPLES_FOLDER / f"{type_name}.json").read_bytes()


@cache
def faults_of(code: Code) -> tuple[Fault, ...]:
    if code == "conflict":
        return (CONFLICT,)  # Only the registrar knows the accepted ids.
    example = REFUSAL_EXAMPLES[code]
    verdict = validate(_value(example), example.headers, SENDER)
    assert isinstance(verdict, Refused), f"validation accepts the example of {code}: make this fault where its rule is"
    return tuple(verdict.faults)


def _value(example: RefusalExample) -> bytes | None:
    if example.wrong is None:
        return None
    return golden_example(example.base).replace(example.right.encode(), example.wrong)


_SERVICE_ID: Final = '"service_id": "SVC-017"'
_RECEIPT_ID: Final = '"receipt_id": "R-000001"'
_AMOUNT: Final = '"amount_halalas": 125000000'

REFUSAL_EXAMPLES: Final[Mapping[Code, RefusalExample]] = {
    "not-utf8": RefusalExample(
        _B(
            "كُتب الحدث بترميز آخر، مثل Windows-1256.",
            "The event was written in another encoding, such as Windows-1256.",
        ),
        "مواعيد",
        b"\xe3\xe6\xc7\xda\xed\xcf",
        r"\xe3\xe6\xc7\xda\xed\xcf",
    ),
    "not-json": RefusalExample(
        _B(
            "فاصلة زائدة، أو سجل فيه حدثان، أو علامة ترتيب البايتات في أوله.",
            "An extra comma, two events in one record, or a byte order mark.",
        ),
        _SERVICE_ID + ",",
        _SERVICE_ID.encode() + b",,",
    ),
    "too-large": RefusalExample(
        _B("نص طويل أو ملف مرفق داخل الحدث.", "A long text, or a file embedded in the event."),
        _SERVICE_ID,
        _SERVICE_ID.encode() + b', "file": "' + b"A" * 61_440 + b'"',
        '"service_id": "SVC-017", "file": "AAAA…"',
    ),
    "too-deep": RefusalExample(
        _B("كائنات أو قوائم متداخلة صنعها برنامج.", "Objects or lists nested by a program."),
        _SERVICE_ID,
        b'"service_id": ' + b"[" * 16 + b"]" * 16,
        '"service_id": [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]',
    ),
    "duplicate-name": RefusalExample(
        _B("كُتب الاسم مرتين في كائن واحد.", "A name was written twice in one object."),
        _SERVICE_ID,
        _SERVICE_ID.encode() + b', "service_id": "SVC-018"',
    ),
    "number-out-of-range": RefusalExample(
        _B("عدد صحيح لا تحفظه كل اللغات بدقة.", "An integer that some languages cannot hold exactly."),
        _AMOUNT,
        b'"amount_halalas": 9007199254740992',
        base="revenue.collected",
    ),
    "tombstone": RefusalExample(
        _B(
            "أُرسل سجل كافكا بقيمة فارغة لحذف حدث؛ لا شيء يُحذف.",
            "A Kafka record without a value was sent to delete an event; events are never deleted.",
        ),
        "",
        None,
        "key: service/SVC-017, value: null",
    ),
    "bad-header": RefusalExample(
        _B("ترويسة سجل كافكا بترميز آخر.", "A header of the Kafka record is in another encoding."),
        "",
        b"",
        "ce_subject: \\xe3\\xe6\\xc7\\xda\\xed\\xcf",
        headers=(
            *STRUCTURED_HEADERS,
            ("ce_subject", b"\xe3\xe6\xc7\xda\xed\xcf"),
        ),
    ),
    "missing-field": RefusalExample(
        _B("حقل مطلوب لم يُكتب، أو كُتب باسم آخر.", "A required field was left out, or written under another name."),
        _SERVICE_ID + ",",
        b"",
        "…",
    ),
    "unknown-field": RefusalExample(
        _B("حقل ليس في النوع، أو خطأ في الاسم.", "A field that the type does not have, or a misspelt name."),
        _SERVICE_ID,
        _SERVICE_ID.encode() + b', "colour": "green"',
    ),
    "invalid-value": RefusalExample(
        _B(
            "قيمة من نوع آخر أو خارج القيم المسموحة، أو عدد مكتوب 100.0 أو نصًا.",
            "A value of another kind or not among those allowed; an integer written as 100.0 or as a text.",
        ),
        '"kiosk"',
        b'"fax"',
    ),
    "date-out-of-range": RefusalExample(
        _B("كُتب تاريخ هجري مكان الميلادي.", "A Hijri date was written instead of the Gregorian one."),
        '"on": "2006-03-01"',
        b'"on": "1427-02-01"',
    ),
    "unknown-type": RefusalExample(
        _B("نوع ليس في الدليل، أو إصدار آخر منه.", "A type that is not in the catalogue, or another version of it."),
        '"sa.gov.yesser.service.launched.v1"',
        b'"sa.gov.yesser.service.opened.v1"',
    ),
    "subject-mismatch": RefusalExample(
        _B("الموضوع لخدمة والبيانات لأخرى.", "The subject names one service and the data another."),
        '"service/SVC-017"',
        b'"service/SVC-018"',
    ),
    "foreign-source": RefusalExample(
        _B("رمز جهة أخرى في المصدر.", "The source has another agency's code."),
        '"urn:yesser:agency:health"',
        b'"urn:yesser:agency:traffic"',
    ),
    "not-authorised": RefusalExample(
        _B("نوع يحق لمكتب البرنامج وحده أو للمنصة.", "A type that only the office, or the platform, may send."),
        "urn:yesser:agency:yesser",
        b"urn:yesser:agency:health",
        base="plan.adopted",
    ),
    "personal-data": RefusalExample(
        _B("رقم هوية في أي نص أو اسم من الحدث.", "A text or a name of the event holds a national id."),
        "?lang=ar",
        b"?id=1000000008",
        "?id=██████████",
    ),
    "id-looks-personal": RefusalExample(
        _B("معرّف من عشرة أرقام أوله 1 أو 2.", "An id of ten digits that begins with 1 or 2."),
        _RECEIPT_ID,
        b'"receipt_id": "1234567890"',
        base="revenue.collected",
    ),
    "conflict": RefusalExample(
        _B("أُعيد استعمال معرّف حدث سابق بمحتوى مختلف.", "The id of an earlier event was used again with other content."),
        '"id": "launched-0011"',
        b'"id": "launched-0010"',
    ),
}
