"""Finding national ids in text, so that none is accepted, kept or shown.

A hit is a maximal run of Unicode letters and decimal digits that is exactly ten digits (ASCII, Arabic-Indic or
Persian), begins with 1 or 2 and passes the Luhn check. `is_suspect` is the quick search over bytes: it may report too
much, never too little.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_DIGITS: Final = "0-9\u0660-\u0669\u06f0-\u06f9"
_TEN_DIGITS: Final = re.compile(f"(?<![{_DIGITS}])[12\u0661\u0662\u06f1\u06f2][{_DIGITS}]{{9}}(?![{_DIGITS}])")
_LOOKS_PERSONAL: Final = re.compile(r"[12][0-9]{9}")
_LOOKS_PERSONAL_QUOTED: Final = re.compile(r'"[12][0-9]{9}"')
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

# In UTF-8 the Arabic-Indic digits are D9 A0…A9 and the Persian ones DB B0…B9. Without their lead bytes, all thirty
# digits become one byte each here; a few other letters too, which is the harmless direction.
_TO_MARK: Final = bytes(
    0x01 if 0x30 <= byte <= 0x39 or 0xA0 <= byte <= 0xA9 or 0xB0 <= byte <= 0xB9 else 0x00 for byte in range(256)
)
_LEAD_BYTES: Final = b"\xd9\xdb"
_TEN_MARKS: Final = b"\x01" * 10

# In ASCII without escapes nothing else is a digit or a letter.
_TO_ASCII_MARK: Final = bytes(
    0x01 if 0x30 <= byte <= 0x39 else 0x02 if byte < 0x80 and chr(byte).isalpha() else 0x00 for byte in range(256)
)
_TEN_MARKS_ALONE: Final = b"\x00" + _TEN_MARKS + b"\x00"


def is_suspect(json_text: bytes, sequence: str | None = None) -> bool:
    """Whether the UTF-8 bytes of a JSON object or array may show ten digits that no letter or digit adjoins.

    Escapes of digits and letters (`\\u0661`) must have been resolved before. Exact in ASCII without any escape.
    The 20 digits of an event's `sequence` are no run of ten. Taking the same 20 digits out of other texts too hides no
    run of ten there, and may only make one more suspect.
    """
    if json_text.isascii() and b"\\" not in json_text:
        # From the right: from the left CPython searches a long text in a way that costs three times as much here.
        return json_text.translate(_TO_ASCII_MARK).rfind(_TEN_MARKS_ALONE) >= 0
    shown = json_text if sequence is None else json_text.replace(sequence.encode(), b"")
    return _TEN_MARKS in shown.translate(_TO_MARK, _LEAD_BYTES)


def may_be_personal(json_text: bytes, sequence: str | None = None) -> bool:
    """Whether any string or name of JSON text holds a national id or is one by its looks: too often, never too seldom.

    Escapes of digits and letters must have been resolved before; `sequence` is that of the event, if it has one.
    """
    if not is_suspect(json_text, sequence):
        return False
    text = json_text.decode()
    return "\\" in text or _LOOKS_PERSONAL_QUOTED.search(text) is not None or holds_personal_data(text)


def shows_ten_digits(text: str) -> bool:
    """Whether a text may hold or be a national id: it shows just ten digits in a row, from 1 or 2 on."""
    return _TEN_DIGITS.search(text) is not None


def holds_personal_data(text: str) -> bool:
    """Whether a text holds a national id."""
    return any(
        not _extends_run(text, match.start() - 1) and not _extends_run(text, match.end()) and _luhn(match.group())
        for match in _TEN_DIGITS.finditer(text)
    )


def looks_personal(text: str) -> bool:
    """Whether an id *is* ten digits beginning with 1 or 2, whatever Luhn says."""
    return _LOOKS_PERSONAL.fullmatch(text) is not None


def bytes_hold_personal_data(raw: bytes) -> bool:
    """The search over bytes whose form cannot be read: invalid ones count as U+FFFD."""
    return holds_personal_data(raw.decode("utf-8", "replace"))


def _extends_run(text: str, position: int) -> bool:
    """Whether the character at `position` is a letter or decimal digit (categories L and Nd) of any script."""
    if not 0 <= position < len(text):
        return False
    category = unicodedata.category(text[position])
    return category[0] == "L" or category == "Nd"


def _luhn(digits: str) -> bool:
    """The Luhn check over ten digits of any of the three kinds."""
    numbers = [unicodedata.decimal(digit) for digit in digits]
    return sum(numbers[1::2], sum(_DOUBLED[number] for number in numbers[0::2])) % 10 == 0
