"""A small language for the form of data: each check takes a value and its pointer and lists the faults."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeAlias
from urllib.parse import urlsplit

from tests.oracle.personal import has_personal_number, looks_personal
from tests.oracle.reading import Fault

Check: TypeAlias = Callable[[object, str], list[Fault]]
INTEGER_MAX = 2**53 - 1
FIRST_DAY, LAST_DAY = "1924-08-01", "2077-11-16"
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
AGENCY_CODE = re.compile(r"[a-z][a-z0-9-]{1,30}\Z")


MEMBERS_MAX = 64
SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z|(?:0|[1-9][0-9]{0,4})\Z")
END = "\0"
"""Ends a pointer at a name that it does not show; taken off when the faults are listed."""


def within(pointer: str, name: str | int) -> str:
    """The pointer of a member or item: it ends where a name would follow that is no plain word, or is personal."""
    if pointer.endswith(END):
        return pointer
    shown = SHOWN.match(str(name)) is not None and not has_personal_number(str(name))
    return f"{pointer}/{name}" if shown else pointer + END


def nowhere(value: object, pointer: str) -> list[Fault]:
    """Anything goes."""
    return []


def record(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """An object with exactly these members."""
    known = {**required, **(optional or {})}

    def check(value: object, pointer: str) -> list[Fault]:
        if not isinstance(value, dict) or len(value) > MEMBERS_MAX:
            return [("invalid-value", pointer)]
        faults = [("missing-field", within(pointer, name)) for name in required if name not in value]
        for name, member in value.items():
            if name in known:
                faults += known[name](member, within(pointer, name))
            else:
                faults += unknown_name(name, pointer)
        return faults

    return check


def unknown_name(name: str, pointer: str) -> list[Fault]:
    """An unknown field; the pointer is the parent's where the name may not or cannot be shown."""
    if not is_readable(name):
        return [("invalid-value", pointer)]
    return [("unknown-field", within(pointer, name))]


def too_many_members(value: object, pointer: str) -> list[Fault]:
    """Objects beyond the bound, known or not; what is in them is not looked at."""
    if isinstance(value, dict) and len(value) > MEMBERS_MAX:
        return [("invalid-value", pointer)]
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [fault for name, part in parts for fault in too_many_members(part, within(pointer, name))]


def items(check_item: Check, at_least: int = 0, at_most: int | None = None) -> Check:
    """A list of such items."""

    def check(value: object, pointer: str) -> list[Fault]:
        if not isinstance(value, list):
            return [("invalid-value", pointer)]
        if len(value) < at_least or (at_most is not None and len(value) > at_most):
            return [("invalid-value", pointer)]
        return [fault for n, item in enumerate(value) for fault in check_item(item, within(pointer, n))]

    return check


def ruled(check_form: Check, rule: Callable[[list[object]], bool]) -> Check:
    """A list whose items together must satisfy `rule`; asked only when each item is in order."""

    def check(value: object, pointer: str) -> list[Fault]:
        faults = check_form(value, pointer)
        if faults or not isinstance(value, list) or rule(value):
            return faults
        return [("invalid-value", pointer)]

    return check


def nullable(check_value: Check) -> Check:
    """Such a value or null."""
    return lambda value, pointer: [] if value is None else check_value(value, pointer)


def integer(low: int = -INTEGER_MAX, high: int = INTEGER_MAX) -> Check:
    """An integer written as one, low ≤ n ≤ high."""

    def check(value: object, pointer: str) -> list[Fault]:
        if type(value) is not int:
            return [("invalid-value", pointer)]
        if abs(value) > INTEGER_MAX:
            return [("number-out-of-range", pointer)]
        return [] if low <= value <= high else [("invalid-value", pointer)]

    return check


def boolean(value: object, pointer: str) -> list[Fault]:
    """true or false."""
    return [] if isinstance(value, bool) else [("invalid-value", pointer)]


def one_of(*choices: object) -> Check:
    """One of these strings (or integers)."""

    def check(value: object, pointer: str) -> list[Fault]:
        if type(value) is int and abs(value) > INTEGER_MAX:
            return [("number-out-of-range", pointer)]
        matches = any(type(value) is type(choice) and value == choice for choice in choices)
        return [] if matches else [("invalid-value", pointer)]

    return check


def matching(pattern: str | re.Pattern[str]) -> Check:
    """A string that matches as a whole."""
    compiled = re.compile(pattern + r"\Z") if isinstance(pattern, str) else pattern

    def check(value: object, pointer: str) -> list[Fault]:
        matches = isinstance(value, str) and compiled.match(value) is not None
        return [] if matches else [("invalid-value", pointer)]

    return check


def identifier(value: object, pointer: str) -> list[Fault]:
    """The common type `id`."""
    if not isinstance(value, str) or IDENTIFIER.match(value) is None:
        return [("invalid-value", pointer)]
    return [("id-looks-personal", pointer)] if looks_personal(value) else []


def is_readable(text: str) -> bool:
    """No NUL and no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def has_control(text: str, allowed: Iterable[str] = ()) -> bool:
    """Whether there is a control character or a lone surrogate, but for those allowed."""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in text)


def phrase(value: object, pointer: str) -> list[Fault]:
    """One language of `L`."""
    if not isinstance(value, str) or not 1 <= len(value) <= 2_000 or not value.strip():
        return [("invalid-value", pointer)]
    return [("invalid-value", pointer)] if has_control(value, "\n\t") else []


def line(length_max: int) -> Check:
    """A non-empty string without control characters."""

    def check(value: object, pointer: str) -> list[Fault]:
        good = isinstance(value, str) and 1 <= len(value) <= length_max and not has_control(value)
        return [] if good else [("invalid-value", pointer)]

    return check


def day(value: object, pointer: str) -> list[Fault]:
    """The common type date."""
    if not isinstance(value, str) or DATE.match(value) is None:
        return [("invalid-value", pointer)]
    try:
        date.fromisoformat(value)
    except ValueError:
        return [("invalid-value", pointer)]
    return [] if FIRST_DAY <= value <= LAST_DAY else [("date-out-of-range", pointer)]


def url(value: object, pointer: str) -> list[Fault]:
    """An absolute https address."""
    good = isinstance(value, str) and len(value) <= 2_000 and not has_control(value) and " " not in value
    if good and isinstance(value, str):
        try:
            parts = urlsplit(value)
            good = parts.scheme == "https" and bool(parts.hostname)
        except ValueError:
            good = False
    return [] if good else [("invalid-value", pointer)]


text = record({"ar": phrase, "en": phrase})
agency_code = matching(AGENCY_CODE)
period = matching(r"[0-9]{4}-(?:0[1-9]|1[0-2]|Q[1-4])")
calendar = one_of("gregorian", "umm-al-qura")
basis_points = integer(0, 10_000)
natural = integer(0)
positive = integer(1)
