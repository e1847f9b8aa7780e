"""The sentence of each fault: the offending value, the rule, and what to do, in English and in Arabic.

The log holds a `detail` in English; its Arabic is looked up by the sentence's template. Logs also hold the sentences
of earlier releases, so these are kept here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from events.values.bilingual import Bilingual

DETAILS: Final[Mapping[str, str]] = {
    # Records that cannot be parsed
    "Byte {position} is not UTF-8; write the whole event as UTF-8.":
        "البايت {position} ليس بترميز UTF-8؛ اكتب الحدث كله بترميز UTF-8.",
    "Not well-formed JSON at character {position}; write exactly one JSON value.":
        "نص JSON غير صحيح عند الحرف {position}؛ اكتب قيمة JSON واحدة فقط.",
    "Not well-formed JSON; write exactly one JSON value.":
        "نص JSON غير صحيح؛ اكتب قيمة JSON واحدة فقط.",
    "The event begins with a byte order mark; remove it.":
        "يبدأ الحدث بعلامة ترتيب البايتات؛ احذفها.",
    "The event is {kind}; write a JSON object.":
        "الحدث {kind}؛ اكتب كائن JSON.",
    "The event has {size} bytes; shorten it to at most 61,440.":
        "حجم الحدث {size} بايت؛ اختصره إلى 61,440 بايت أو أقل.",
    "The event is nested more than 16 levels deep; flatten it.":
        "تداخل الحدث أعمق من ستة عشر مستوى؛ قلّل التداخل.",
    "The name {value} occurs twice in one object; write it once.":
        "الاسم {value} مكرر في الكائن نفسه؛ اكتبه مرة واحدة.",
    "The attribute {value} is in two headers; send one.":
        "الخاصية {value} مكررة في ترويستين؛ أرسل واحدة.",
    "A name occurs twice in one object; write it once.": "اسم مكرر في الكائن نفسه؛ اكتبه مرة واحدة.",
    "An attribute is in two headers; send one.": "خاصية مكررة في ترويستين؛ أرسل واحدة.",
    "The record has no value (null); send the event as its value.":
        "السجل بلا قيمة (null)؛ أرسل الحدث في قيمته.",
    "The header is not UTF-8; write it as UTF-8.":
        "الترويسة ليست بترميز UTF-8؛ اكتبها بترميز UTF-8.",
    "The header content-type is missing or names no CloudEvent; send application/cloudevents+json.":
        "الترويسة content-type مفقودة أو لا تدل على CloudEvents؛ أرسل application/cloudevents+json.",
    "A header cannot carry data; send it as the record's value.":
        "لا تحمل الترويسة البيانات؛ أرسلها في قيمة السجل.",
    # One value
    "{field} is missing; add it.":
        "{field} غير موجود؛ أضفه.",
    "Unknown field; remove it or correct its name.":
        "حقل غير معروف؛ احذفه أو صحح اسمه.",
    "Unknown field; remove it or write {due}.":
        "حقل غير معروف؛ احذفه أو اكتب {due}.",
    "The name holds NUL or half of a surrogate pair; remove it.":
        "يحتوي الاسم على NUL أو نصف زوج بديل؛ احذفه.",
    "The text holds NUL or half of a surrogate pair; remove it.":
        "يحتوي النص على NUL أو نصف زوج بديل؛ احذفه.",
    "{value} is beyond ±(2^53 − 1); write a whole number within it.":
        "{value} يتجاوز ±(2^53 − 1)؛ اكتب عددًا صحيحًا ضمنه.",
    "{value} is {kind}; write {due}.":
        "{value} {kind}؛ اكتب {due}.",
    "{value} is {kind}; write {due} ({instead}).":
        "{value} {kind}؛ اكتب {due} ({instead}).",
    "{value} is not allowed: {field} is {allowed}.":
        "{value} غير مسموح؛ المسموح في {field}: {allowed}.",
    "{field} has {count} characters; write at least {bound}.":
        "عدد أحرف {field} هو {count}؛ الحد الأدنى {bound}.",
    "{field} has {count} characters; write at most {bound}.":
        "عدد أحرف {field} هو {count}؛ الحد الأقصى {bound}.",
    "{field} has {count} items; write at least {bound}.":
        "عدد عناصر {field} هو {count}؛ الحد الأدنى {bound}.",
    "{field} has {count} items; write at most {bound}.":
        "عدد عناصر {field} هو {count}؛ الحد الأقصى {bound}.",
    "The object has {count} members; write at most 64.":
        "عدد أعضاء الكائن {count}؛ الحد الأقصى 64.",
    "{field} holds only white space; write words.":
        "في {field} مسافات فقط؛ اكتب كلمات.",
    "{field} holds the control character {character}; remove it.":
        "في {field} حرف تحكم {character}؛ احذفه.",
    "{value} is not a date; write YYYY-MM-DD in the Gregorian calendar.":
        "{value} ليس تاريخًا؛ اكتب YYYY-MM-DD بالتقويم الميلادي.",
    "{value} is outside 1924-08-01 … 2077-11-16; write the Gregorian date.":
        "{value} خارج المدى 1924-08-01 … 2077-11-16؛ اكتب التاريخ الميلادي.",
    "{value} is not a time; write it as in 2026-01-31T09:00:00+03:00 (RFC 3339 with offset).":
        "{value} ليس وقتًا؛ اكتبه مثل 2026-01-31T09:00:00+03:00 (RFC 3339 مع فرق التوقيت).",
    "{value} is outside the years 1925 … 2077; write the Gregorian time.":
        "{value} خارج الأعوام 1925 … 2077؛ اكتب الوقت بالتقويم الميلادي.",
    "{value} is not in the catalogue; use {due} or another of its types.":
        "{value} غير موجود في دليل الأحداث؛ استعمل {due} أو نوعًا آخر منه.",
    "{value} is not in the catalogue; use one of its types.":
        "{value} غير موجود في دليل الأحداث؛ استعمل نوعًا منه.",
    # Several members together
    "{value} is not the subject of this data; write {instead}.":
        "{value} ليس موضوع هذه البيانات؛ اكتب {instead}.",
    "The subject is not the one of this data; write the one that the data gives.":
        "موضوع الحدث (subject) لا يطابق بياناته؛ اكتب الموضوع الذي تحدده البيانات.",
    "ends_on is before starts_on; correct one of them.":
        "يسبق ends_on التاريخ starts_on؛ صحح أحدهما.",
    "up_to_halalas must rise from band to band, and be null in the last band only.":
        "يجب أن يزيد up_to_halalas من شريحة إلى أخرى، وأن يكون null في الأخيرة وحدها.",
    "expected must hold one entry for each period of the term, in order, or none.":
        "يجب أن يضم expected عنصرًا واحدًا لكل فترة من المدة بالترتيب، أو يكون فارغًا.",
    "A guarantee needs expected amounts; add them or write guarantee as null.":
        "يحتاج الضمان إلى المبالغ المتوقعة؛ أضفها أو اكتب guarantee بقيمة null.",
    "Phases must be numbered 1, 2, 3 … in order.":
        "يجب ترقيم المراحل 1، 2، 3 … بالترتيب.",
    "services must not name one service twice.":
        "يجب ألا تتكرر خدمة في services.",
    # Authority and personal data
    "{value} is another agency; write {due}.":
        "{value} جهة أخرى؛ اكتب {due}.",
    "{role} may not send {type}; only {sender} may.":
        "لا يحق {role} إرسال {type}؛ يحق ذلك {sender} فقط.",
    "A national id was found here; remove it.":
        "وُجد رقم هوية هنا؛ احذفه.",
    "A national id was found in a name; remove it.":
        "وُجد رقم هوية في اسم حقل؛ احذفه.",
    "Ten digits that begin with 1 or 2 look like a national id; put a letter before them.":
        "عشرة أرقام أولها 1 أو 2 تشبه رقم هوية؛ ضع حرفًا قبلها.",
    "This id belongs to a different event that was accepted; send another event under a new id.":
        "هذا المعرّف لحدث مختلف مقبول؛ أرسل الحدث الآخر بمعرّف جديد.",
    "This id belongs to log entry {entry}, a different event; send this event under a new id.":
        "هذا المعرّف للقيد {entry} في السجل، وهو حدث مختلف؛ أرسل هذا الحدث بمعرّف جديد.",
}  # fmt: skip
"""English → Arabic. `events.faults.findings` fills in what is in braces."""

PHRASES: Final[Mapping[str, str]] = {
    "This value": "المكتوب هنا",
    # Kinds
    "text": "نص",
    "a number": "عدد",
    "a number with a point or exponent": "عدد فيه فاصلة أو أس",
    "a Boolean": "قيمة منطقية",
    "null": "null",
    "a list": "قائمة",
    "an object": "كائن",
    # Expected values
    "a whole number in digits 0–9": "عددًا صحيحًا بالأرقام 0–9",
    "text in quotes": "نصًا بين علامتي اقتباس",
    "true or false": "true أو false",
    "an object { … }": "كائنًا { … }",
    "a list [ … ]": "قائمة [ … ]",
    # Senders
    "An agency": "للجهة",
    "The programme office": "لمكتب البرنامج",
    "The platform": "للمنصة",
    "an agency": "للجهات",
    "the programme office": "لمكتب البرنامج",
    "the platform": "للمنصة",
    "the registrar": "للمسجِّل",
    # Text formats
    "1–64 of A–Z a–z 0–9 . _ -, the first a letter or digit": "1–64 من A–Z a–z 0–9 . _ - أولها حرف أو رقم",
    "1–128 of A–Z a–z 0–9 . _ : -, the first a letter or digit": "1–128 من A–Z a–z 0–9 . _ : - أولها حرف أو رقم",
    "an agency's code": "رمز جهة",
    "urn:yesser:agency: and the agency's code": "urn:yesser:agency: ثم رمز الجهة",
    "a month YYYY-01 … YYYY-12 or a quarter YYYY-Q1 … YYYY-Q4": "شهر YYYY-01 … YYYY-12 أو ربع YYYY-Q1 … YYYY-Q4",
    "trn_ and 16–52 of a–z 2–7": "trn_ ثم 16–52 من a–z 2–7",
    "64 of 0–9 a–f": "64 من 0–9 a–f",
    "an absolute https URL": "عنوان https كامل",
    "text without control characters": "نص بلا أحرف تحكم",
    "20 digits 0–9 from 1 on, with zeros in front": "20 رقمًا 0–9 من 1 فصاعدًا، مع أصفار في أوله",
    "a Hijri date YYYY-MM-DD": "تاريخ هجري YYYY-MM-DD",
    "application/json": "application/json",
    "in the form of the type's schema": "وفق مخطط النوع",
}
"""English → Arabic of the values that are filled in."""

_ALLOWED_WORDS: Final = {" or more": " أو أكثر", " or less": " أو أقل", " or ": " أو ", ", ": "، ", " to ": " إلى "}
_ALLOWED_WORD: Final = re.compile(f"({'|'.join(_ALLOWED_WORDS)})")
_FIELD: Final = re.compile(r"\{(\w+)\}")
_GROUPS: Final = {"value": r'This value|"(?:[^"\\]|\\.)*"|[-+.\w]+…?'}


def arabic_of(detail: str) -> str:
    """The Arabic of a fault's sentence, with isolated values; the sentence itself where there is none."""
    found = DETAILS.get(detail) or _EARLIER.get(detail)
    if found is not None:
        return found
    for pattern, arabic in _patterns():
        match = pattern.fullmatch(detail)
        if match is not None:
            values = {name: _phrase(name, text) for name, text in match.groupdict().items()}
            return Bilingual(arabic, "").format(**values).ar
    return detail


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The longest first: a shorter sentence may be a longer one without its end."""
    longest_first = sorted(DETAILS, key=len, reverse=True)
    return [(re.compile(_expression(english), re.DOTALL), DETAILS[english]) for english in longest_first]


def _expression(template: str) -> str:
    parts = _FIELD.split(template)
    parts[0::2] = map(re.escape, parts[0::2])
    parts[1::2] = [f"(?P<{name}>{_GROUPS.get(name, '.+?')})" for name in parts[1::2]]
    return "".join(parts)


def _phrase(name: str, text: str) -> str | Bilingual:
    """The value to fill in. A list of what is allowed reads in Arabic order, each code in its own."""
    parts = _ALLOWED_WORD.split(text)
    arabic = PHRASES.get(text)
    if arabic is not None or name != "allowed" or len(parts) == 1:
        return arabic or text
    codes, words = parts[0::2], parts[1::2]
    return Bilingual("{}" + "".join(_ALLOWED_WORDS[word] + "{}" for word in words), "").format(*codes)


_EARLIER: Final[Mapping[str, str]] = {
    "The value is not UTF-8.": "القيمة ليست بترميز UTF-8.",
    "The value is not one well-formed JSON text.": "القيمة ليست نص JSON واحدًا صحيحًا.",
    "The value begins with a byte order mark.": "القيمة تبدأ بعلامة ترتيب البايتات.",
    "The event must be a JSON object.": "يجب أن يكون الحدث كائن JSON.",
    "The event has more than 61,440 bytes.": "حجم الحدث أكثر من 61,440 بايت.",
    "The event is nested more than 16 levels deep.": "تداخل الحدث أعمق من ستة عشر مستوى.",
    "A name occurs twice in one object.": "اسم مكرر في الكائن نفسه.",
    "An attribute occurs in two headers.": "خاصية مكررة في ترويستين.",
    "The integer lies beyond ±(2^53 − 1).": "العدد يتجاوز ±(2^53 − 1).",
    "The record has a null value.": "قيمة السجل فارغة (null).",
    "The header is not UTF-8.": "الترويسة ليست بترميز UTF-8.",
    "Data is carried by the record's value, not by a header.": "البيانات في قيمة السجل لا في ترويسة.",
    "This field is required.": "هذا الحقل مطلوب.",
    "This field is not known here.": "هذا الحقل غير معروف هنا.",
    "A name holds a NUL or a lone surrogate.": "اسم يحتوي على NUL أو نصف رمز بديل.",
    "The text holds a NUL or a lone surrogate.": "النص يحتوي على NUL أو نصف رمز بديل.",
    "An integer is due, written as an integer.": "المطلوب عدد صحيح مكتوب بصيغة صحيحة.",
    "A text is due.": "المطلوب نص.",
    "An object is due.": "المطلوب كائن.",
    "A list is due.": "المطلوب قائمة.",
    "true or false is due.": "المطلوب true أو false.",
    "The number is too small or too great here.": "العدد أصغر أو أكبر من المسموح هنا.",
    "The text or list is too short or too long.": "النص أو القائمة أقصر أو أطول من المسموح.",
    "The value does not have the form that is due here.": "القيمة ليست بالصيغة المطلوبة هنا.",
    "The value is none of those allowed here.": "القيمة ليست من القيم المسموحة هنا.",
    "This is not a date YYYY-MM-DD of the Gregorian calendar.": "ليس تاريخًا ميلاديًا بصيغة YYYY-MM-DD.",
    "The date lies outside 1924-08-01 … 2077-11-16.": "التاريخ خارج المدى 1924-08-01 … 2077-11-16.",
    "This is not an RFC 3339 time with offset.": "ليس وقتًا بصيغة RFC 3339 مع فرق التوقيت.",
    "The year of the time lies outside 1925 … 2077.": "سنة الوقت خارج المدى 1925 … 2077.",
    "The type is not in the catalogue.": "النوع غير موجود في دليل الأحداث.",
    "The subject is not the one that the data gives.": "الموضوع ليس ما تعطيه البيانات.",
    "The source is not the agency of this topic.": "المصدر ليس الجهة صاحبة هذا الموضوع.",
    "The agency's role may not send this type.": "دور الجهة لا يسمح بإرسال هذا النوع.",
    "A national id was found here.": "وُجد رقم هوية هنا.",
    "A national id was found in a name.": "وُجد رقم هوية في اسم حقل.",
    "An id of ten digits from 1 or 2 on looks like a national id.": "معرّف من عشرة أرقام أوله 1 أو 2 يشبه رقم هوية.",
    "The source and id belong to a different event already accepted.": "المصدر والمعرّف لحدث مختلف مقبول من قبل.",
    "Bands ascend, and the last, and only it, has no end.": "الشرائح تصاعدية، والأخيرة وحدها بلا حد.",
    "The term ends before it starts.": "المدة تنتهي قبل أن تبدأ.",
    "Expected amounts cover exactly the periods of the term, in order.": "المتوقع لفترات المدة تمامًا وبترتيبها.",
    "A guarantee needs the expected amounts.": "الضمان يحتاج إلى المبالغ المتوقعة.",
    "Phases are numbered 1, 2, 3 … in order.": "المراحل مرقمة 1، 2، 3 … بالترتيب.",
    "The services must be distinct.": "يجب ألا تتكرر الخدمات.",
}
"""Sentences of existing logs that are no longer written."""
