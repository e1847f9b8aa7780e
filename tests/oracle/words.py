"""Texts for made-up events: both languages, with everything that a careless reader of JSON stumbles over."""

from __future__ import annotations

from random import Random

from tests.oracle.log import JsonObject

ARABIC = (
    "قرار مجلس الوزراء رقم ١١٠ وتاريخ ٥/٤/١٤٢٥هـ",
    "«يسر» — المرحلة الأولى",
    "الخطة الخمسية للتعاملات الإلكترونية",
    "مشاريع البنى التحية",
    "ردم الفجوة الرقمية",
    "تَجْدِيدُ الرُّخَص",
    "المشاركة في الدخل المتوقع 🇸🇦",
    "رقم المعاملة ١٢٣٤٥٦٧٨٩٠",
    "1000000008هـ",
    "سطر\nآخر",
    "س",
)
ENGLISH = (
    "Resolution 110 of 5/4/1425H",
    'Yesser: phase "one"',
    "Licence renewal \\ issue",
    "Sharing the expected revenue",
    "Bridging the digital divide",
    "Home Computer Initiative \U0001f5a5",
    "two\tcolumns",
    "Reference 1234567890",
    "A1000000008",
    "</script> & {braces}, [brackets]",
    "x",
)


def text(random: Random) -> JsonObject:
    """An `L`."""
    return {"ar": random.choice(ARABIC), "en": random.choice(ENGLISH)}


def personal_number(random: Random, *, luhn: bool = True) -> str:
    """Ten digits beginning with 1 or 2 whose check digit holds, or does not."""
    digits = [random.choice((1, 2)), *(random.randrange(10) for _ in range(8))]
    doubled = [digit * 2 if position % 2 == 0 else digit for position, digit in enumerate(digits)]
    check = -sum(value - 9 if value > 9 else value for value in doubled) % 10
    if not luhn:
        check = (check + random.randint(1, 9)) % 10
    return "".join(map(str, digits)) + str(check)
