"""A model's error as a finding: its code and pointer, the offending value, the rule, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pydantic_core import ErrorDetails

from events.faults.findings import Finding, finding
from events.values.fields import (
    CODE_PATTERN,
    DATE_PATTERN,
    ID_PATTERN,
    PERIOD_PATTERN,
    SHA256_PATTERN,
    TEXT_PATTERN,
    TIME_PATTERN,
    TRAINEE_PATTERN,
    URL_PATTERN,
)
from events.values.json_pointer import pointer_of
from events.values.money import INTEGER_MAX

_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME: Final = re.compile(
    r"([0-9]{4})(-[0-9]{2}-[0-9]{2})[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WHOLE_NUMBER: Final = re.compile(r"[-+]?\d{1,16}")
_LISTED_MAX: Final = 10
_ALLOWED_LENGTH_MAX: Final = 120
_OTHER_FORM: Final = "in the form of the type's schema"

_NUMBER_AS_TEXT: Final = re.compile(r"'([0-9.]+)'")
"""An only value that is text and reads as a number, as pydantic names it."""

_WRONG_KIND: Final = "{value} is {kind}; write {due}."
_WRITE_INSTEAD: Final = "{value} is {kind}; write {due} ({instead})."
_NOT_ALLOWED: Final = "{value} is not allowed: {field} is {allowed}."
_DUE: Final[Mapping[str, str]] = {
    "int_type": "a whole number in digits 0–9",
    "string_type": "text in quotes",
    "model_type": "an object { … }",
    "dict_type": "an object { … }",
    "list_type": "a list [ … ]",
    "bool_type": "true or false",
}
_DUE_COMPOSED: Final = frozenset({_DUE["model_type"], _DUE["list_type"]})
_LENGTHS: Final[Mapping[str, tuple[str, str]]] = {
    "too_short": ("{field} has {count} items; write at least {bound}.", "min_length"),
    "too_long": ("{field} has {count} items; write at most {bound}.", "max_length"),
    "string_too_short": ("{field} has {count} characters; write at least {bound}.", "min_length"),
    "string_too_long": ("{field} has {count} characters; write at most {bound}.", "max_length"),
}
FORMS: Final[Mapping[str, str]] = {
    ID_PATTERN: "1–64 of A–Z a–z 0–9 . _ -, the first a letter or digit",
    CODE_PATTERN: "an agency's code",
    PERIOD_PATTERN: "a month YYYY-01 … YYYY-12 or a quarter YYYY-Q1 … YYYY-Q4",
    TRAINEE_PATTERN: "trn_ and 16–52 of a–z 2–7",
    SHA256_PATTERN: "64 of 0–9 a–f",
    URL_PATTERN: "an absolute https URL",
}


def model_error(
    detail: ErrorDetails, numbers: tuple[int, int] | None = None, forms: Mapping[str, str] = FORMS
) -> Finding:
    """The finding for one entry of pydantic's `errors()`.

    `numbers`: the least and the most that a number may be here; without it only the bound that was crossed is named.
    `forms`: what is to be written, by pattern.
    """
    location, kind, value = detail["loc"], detail["type"], detail["input"]
    pointer = pointer_of(location)
    field = next((str(name) for name in reversed(location) if isinstance(name, str)), "")
    if kind == "missing":
        return finding("missing-field", pointer, "{field} is missing; add it.", field=field)
    if kind == "extra_forbidden":
        return finding("unknown-field", pointer, "Unknown field; remove it or correct its name.")
    if kind == "json_invalid":
        return finding("not-json", pointer, "Not well-formed JSON; write exactly one JSON value.")
    if kind == "string_pattern_mismatch":
        return pattern_error(pointer, field, value, detail["ctx"]["pattern"], forms)
    if kind in _DUE:
        return _kind_error(pointer, value, _DUE[kind])
    if kind in _LENGTHS:
        sentence, bound = _LENGTHS[kind]
        count, limit = f"{len(value):,}", f"{detail['ctx'][bound]:,}"
        return finding("invalid-value", pointer, sentence, field=field, count=count, bound=limit)
    context = detail.get("ctx", {})
    if kind in ("greater_than_equal", "less_than_equal"):
        bound_crossed = f"{context['le']} or less" if "le" in context else f"{context['ge']} or more"
        allowed = bound_crossed if numbers is None else _range(*numbers)
    else:
        expected = context.get("expected", "")
        if (text := _NUMBER_AS_TEXT.fullmatch(expected)) and not isinstance(value, str):
            return _kind_error(pointer, value, _DUE["string_type"], text[1])
        allowed = expected.replace("'", "")
    if not 0 < len(allowed) <= _ALLOWED_LENGTH_MAX:
        allowed = _OTHER_FORM
    return finding("invalid-value", pointer, _NOT_ALLOWED, value=value, field=field, allowed=allowed)


def kind_of(value: Any) -> str:
    """The kind of a JSON value, in a phrase of `events.faults.details.PHRASES`."""
    if value is None:
        return "null"
    kinds = {bool: "a Boolean", str: "text", dict: "an object", list: "a list"}
    kind = kinds.get(type(value))
    return kind or ("a number with a point or exponent" if isinstance(value, float) else "a number")


def _kind_error(pointer: str, value: Any, due: str, instead: str | int | None = None) -> Finding:
    # A text where an object or a list is due may be anything, also a person's name.
    claimed = None if isinstance(value, str) and due in _DUE_COMPOSED else value
    values = {"value": claimed, "kind": kind_of(value), "due": due}
    if instead is None and due == _DUE["int_type"]:
        instead = _whole_number(value)
    if instead is None:
        return finding("invalid-value", pointer, _WRONG_KIND, **values)
    return finding("invalid-value", pointer, _WRITE_INSTEAD, **values, instead=instead)


def _whole_number(value: Any) -> int | None:
    """The whole number that a text or fraction stands for, if any."""
    if isinstance(value, str):
        return int(value) if _WHOLE_NUMBER.fullmatch(value) else None
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= INTEGER_MAX else None


def _range(least: int, most: int) -> str:
    """`1, 2 or 3`, `0 to 10000`, `1 or more`."""
    if most - least < _LISTED_MAX:
        *others, last = [str(number) for number in range(least, most + 1)]
        return f"{', '.join(others)} or {last}"
    return f"{least} or more" if most == INTEGER_MAX else f"{least} to {most}"


def pattern_error(pointer: str, field: str, value: str, pattern: str, forms: Mapping[str, str]) -> Finding:
    """The finding for a text that does not match its pattern."""
    if pattern == DATE_PATTERN:
        if _is_calendar_day(value):
            sentence = "{value} is outside 1924-08-01 … 2077-11-16; write the Gregorian date."
            return finding("date-out-of-range", pointer, sentence, value=value)
        sentence = "{value} is not a date; write YYYY-MM-DD in the Gregorian calendar."
        return finding("invalid-value", pointer, sentence, value=value)
    if pattern == TIME_PATTERN:
        match = _TIME.fullmatch(value)
        if match and _is_calendar_day(match[1] + match[2]):
            sentence = "{value} is outside the years 1925 … 2077; write the Gregorian time."
            return finding("date-out-of-range", pointer, sentence, value=value)
        sentence = "{value} is not a time; write it as in 2026-01-31T09:00:00+03:00 (RFC 3339 with offset)."
        return finding("invalid-value", pointer, sentence, value=value)
    if pattern == TEXT_PATTERN:
        control = _CONTROL.search(value)
        if control is None:
            return finding("invalid-value", pointer, "{field} holds only white space; write words.", field=field)
        sentence, character = "{field} holds the control character {character}; remove it.", ord(control[0])
        return finding("invalid-value", pointer, sentence, field=field, character=f"U+{character:04X}")
    allowed = forms.get(pattern, _OTHER_FORM)
    return finding("invalid-value", pointer, _NOT_ALLOWED, value=value, field=field, allowed=allowed)


def _is_calendar_day(text: str) -> bool:
    """Whether this is a day of the (proleptic) Gregorian calendar in any year 0000 … 9999."""
    match = _DATE.fullmatch(text)
    if not match:
        return False
    # Year 0000 is not in `datetime`; it is a leap year like 2000.
    year, month, day = int(match[1]) or 2000, int(match[2]), int(match[3])
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
