"""The search for national ids in text, so that none is accepted, kept or shown.

A hit is a maximal run of Unicode letters and decimal digits that is exactly ten digits (ASCII, Arabic-Indic or
Persian), begins with 1 or 2 and passes the Luhn check.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_DIGITS: Final = "0-9\u0660-\u0669\u06f0-\u06f9"
# The first digit comes before the look behind it: so Python skips what cannot begin a run.
_TEN_DIGITS: Final = re.compile(f"[12\u0661\u0662\u06f1\u06f2](?<![{_DIGITS}].)[{_DIGITS}]{{9}}(?![{_DIGITS}])")
_LOOKS_PERSONAL: Final = re.compile(r"[12][0-9]{9}")
_DIGITS_OF_AN_ID: Final = 10
_ZEROS: Final = (0x30, 0x660, 0x6F0)
_PLAIN: Final = {chr(zero + digit): digit for zero in _ZEROS for digit in range(10)}
_DOUBLED: Final = {mark: 2 * digit - 9 * (digit > 4) for mark, digit in _PLAIN.items()}


def shows_ten_digits(text: str) -> bool:
    """Whether a text has a run of exactly ten digits that begins with 1 or 2, whatever the Luhn check gives."""
    return _TEN_DIGITS.search(text) is not None


def holds_personal_data(text: str) -> bool:
    if len(text) < _DIGITS_OF_AN_ID:
        return False
    for match in _TEN_DIGITS.finditer(text):
        start, end = match.span()
        if _luhn(text[start:end]) and not _extends_run(text, start - 1) and not _extends_run(text, end):
            return True
    return False


def looks_personal(text: str) -> bool:
    """Whether an id *is* ten digits beginning with 1 or 2, whatever the Luhn check gives."""
    return _LOOKS_PERSONAL.fullmatch(text) is not None


def bytes_hold_personal_data(raw: bytes) -> bool:
    """The search over bytes that cannot be parsed; invalid bytes count as U+FFFD."""
    return holds_personal_data(raw.decode("utf-8", "replace"))


def _extends_run(text: str, position: int) -> bool:
    """Whether the character at `position` is a letter or decimal digit (categories L and Nd) of any script."""
    if not 0 <= position < len(text):
        return False
    category = unicodedata.category(text[position])
    return category[0] == "L" or category == "Nd"


def _luhn(digits: str) -> bool:
    """The Luhn check over ten digits of any of the three kinds."""
    plain, doubled = map(_PLAIN.__getitem__, digits[1::2]), map(_DOUBLED.__getitem__, digits[0::2])
    return (sum(plain) + sum(doubled)) % 10 == 0
