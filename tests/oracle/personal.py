"""The search for national ids (§1, personal data)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

TEN_DIGITS = re.compile("[0-9\u0660-\u0669\u06f0-\u06f9]{10}")
LOOKS_PERSONAL = re.compile(r"[12][0-9]{9}\Z")


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def has_personal_number(text: str) -> bool:
    """Whether some maximal run of letters and decimal digits is a national id or residence number."""
    if TEN_DIGITS.search(text) is None:
        return False
    return any(_is_personal(run) for run in _runs(text))


def _is_personal(run: str) -> bool:
    if len(run) != 10 or TEN_DIGITS.match(run) is None:
        return False
    digits = "".join(str(unicodedata.decimal(character)) for character in run)
    return digits[0] in "12" and luhn_holds(digits)


def _runs(text: str) -> Iterator[str]:
    run = ""
    for character in text:
        category = unicodedata.category(character)
        if category.startswith("L") or category == "Nd":
            run += character
        elif run:
            yield run
            run = ""
    if run:
        yield run


def looks_personal(identifier: str) -> bool:
    """Ten digits that begin with 1 or 2, but for those that are personal data anyway."""
    return LOOKS_PERSONAL.match(identifier) is not None and not luhn_holds(identifier)
