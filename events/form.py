"""The form of an event that could be read: every fault of it, each with its code and pointer.

This is the definition that the door's fast path must agree with. It gathers, in this order: what JSON itself forbids
(huge integers, NUL, lone surrogates), what the models say, the rules over several members, the subject, and what is
personal or looks so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from events.catalogue import EventType
from events.envelope import SCHEMA_URI_PREFIX
from events.fields import DATE_PATTERN, TIME_PATTERN
from events.personal import holds_personal_data, looks_personal
from events.pointers import is_within, name_is_clean, pointer_of, pointer_to
from events.problems import Fault, fault
from events.reading import BEYOND_RANGE
from events.validators import ANY_ITEM, id_paths, types_by_full_name, validator_of

_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME: Final = re.compile(
    r"([0-9]{4})(-[0-9]{2}-[0-9]{2})[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known here.",
    "int_type": "An integer is due, written as an integer.",
    "int_from_float": "An integer is due, written as an integer.",
    "string_type": "A text is due.",
    "string_unicode": "The text holds a NUL or a lone surrogate.",
    "model_type": "An object is due.",
    "dict_type": "An object is due.",
    "list_type": "A list is due.",
    "bool_type": "true or false is due.",
    "greater_than_equal": "The number is too small or too great here.",
    "less_than_equal": "The number is too small or too great here.",
    "too_short": "The text or list is too short or too long.",
    "too_long": "The text or list is too short or too long.",
    "string_too_short": "The text or list is too short or too long.",
    "string_too_long": "The text or list is too short or too long.",
    "literal_error": "The value is none of those allowed here.",
}
_OTHER_FORM: Final = "The value does not have the form that is due here."


def type_of(event: Mapping[str, Any]) -> EventType | None:
    """The catalogue's row of an event; None if its type is absent, no text, or unknown."""
    name = event.get("type")
    return types_by_full_name().get(name) if isinstance(name, str) else None


def faults_of(event: Mapping[str, Any]) -> list[Fault]:
    """All faults of form of a parsed event, in the order of their pointers; empty if it is well-formed."""
    row = type_of(event)
    unreadable = list(_json_faults(event, ""))
    present = {name: value for name, value in event.items() if value is not None}
    found = _without_repeats(unreadable, _model_faults(_clean(present), row))
    if row is None and isinstance(present.get("type"), str) and not _any_within(found, "/type"):
        found.append(fault("unknown-type", "/type", "The type is not in the catalogue."))
        found += _schema_faults(present)
    if row is not None:
        found += _rule_faults(present, row, found)
        found += _subject_faults(present, row, found)
    found += _personal_faults(event, "")
    found += _id_faults(present, row)
    return sorted(set(found))


def _json_faults(value: Any, pointer: str) -> Iterator[Fault]:
    """What may stand nowhere in an event: integers beyond ±(2⁵³ − 1), NUL, lone surrogates."""
    if isinstance(value, str):
        if not name_is_clean(value):
            yield fault("invalid-value", pointer, "The text holds a NUL or a lone surrogate.")
    elif isinstance(value, dict):
        for name, item in value.items():
            if not name_is_clean(name):
                yield fault("invalid-value", pointer, "A name holds a NUL or a lone surrogate.")
                yield fault("unknown-field", pointer, "This field is not known here.")
            yield from _json_faults(item, pointer_to(pointer, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _json_faults(item, f"{pointer}/{position}")
    elif isinstance(value, int) and abs(value) == BEYOND_RANGE:
        yield fault("number-out-of-range", pointer, "The integer lies beyond ±(2^53 − 1).")


def _clean(value: Any) -> Any:
    """The value without members whose names no validator can carry (they are listed by `_json_faults`)."""
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items() if name_is_clean(name)}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _model_faults(event: dict[str, Any], row: EventType | None) -> list[Fault]:
    try:
        validator_of(row.name if row else None).validate_python(event)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=True)
        return [_fault_of(detail) for detail in details]
    return []


def _schema_faults(event: Mapping[str, Any]) -> list[Fault]:
    """The `dataschema` of an unknown type, which no model narrows: it must at least be that type's."""
    schema = event.get("dataschema")
    if not isinstance(schema, str) or schema == SCHEMA_URI_PREFIX + event["type"]:
        return []
    return [fault("invalid-value", "/dataschema", _SENTENCES["literal_error"])]


def _fault_of(detail: ErrorDetails) -> Fault:
    pointer = pointer_of(detail["loc"])
    kind = detail["type"]
    if kind == "missing":
        return fault("missing-field", pointer, _SENTENCES[kind])
    if kind == "extra_forbidden":
        return fault("unknown-field", pointer, _SENTENCES[kind])
    if kind == "string_pattern_mismatch":
        return _pattern_fault(pointer, detail["input"], detail["ctx"]["pattern"])
    return fault("invalid-value", pointer, _SENTENCES.get(kind, _OTHER_FORM))


def _pattern_fault(pointer: str, value: str, pattern: str) -> Fault:
    if pattern == DATE_PATTERN:
        if _is_calendar_day(value):
            return fault("date-out-of-range", pointer, "The date lies outside 1924-08-01 … 2077-11-16.")
        return fault("invalid-value", pointer, "This is not a date YYYY-MM-DD of the Gregorian calendar.")
    if pattern == TIME_PATTERN:
        match = _TIME.fullmatch(value)
        if match and _is_calendar_day(match[1] + match[2]):
            return fault("date-out-of-range", pointer, "The year of the time lies outside 1925 … 2077.")
        return fault("invalid-value", pointer, "This is not an RFC 3339 time with offset.")
    return fault("invalid-value", pointer, _OTHER_FORM)


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


def _without_repeats(unreadable: list[Fault], modelled: list[Fault]) -> list[Fault]:
    """One value, one fault: what JSON forbids hides what the model says of the same value, but not an unknown name."""
    hidden = {found.pointer for found in unreadable}
    return unreadable + [
        found for found in modelled if found.code in ("unknown-field", "missing-field") or found.pointer not in hidden
    ]


def _rule_faults(event: Mapping[str, Any], row: EventType, found: list[Fault]) -> list[Fault]:
    """Rules over several members, where all that they read is well-formed."""
    data = event.get("data")
    if not row.rules or not isinstance(data, dict):
        return []
    # A fault of a member counts as one of what contains it, and the other way round; an unknown name disturbs no rule.
    faulty = [seen.pointer for seen in found if seen.code != "unknown-field"]
    return [
        fault("invalid-value", f"/data{rule.pointer}", rule.detail)
        for rule in row.rules
        if not any(_overlap(f"/data{read}", pointer) for read in rule.reads for pointer in faulty)
        and not rule.holds(data)
    ]


def _overlap(one: str, other: str) -> bool:
    return is_within(one, other) or is_within(other, one)


def _subject_faults(event: Mapping[str, Any], row: EventType, found: list[Fault]) -> list[Fault]:
    """The subject against the data, where the fields that it is made of are well-formed."""
    subject, data = event.get("subject"), event.get("data")
    needed = ["/subject", *(f"/data/{field}" for field in row.subject.fields)]
    if not isinstance(subject, str) or not isinstance(data, dict) or any(_any_within(found, at) for at in needed):
        return []
    if subject == row.subject.of(data):
        return []
    return [fault("subject-mismatch", "/subject", "The subject is not the one that the data gives.")]


def _personal_faults(value: Any, pointer: str) -> Iterator[Fault]:
    if isinstance(value, str):
        if holds_personal_data(value):
            yield fault("personal-data", pointer, "A national id was found here.")
    elif isinstance(value, dict):
        for name, item in value.items():
            if holds_personal_data(name):
                yield fault("personal-data", pointer, "A national id was found in a name.")
            yield from _personal_faults(item, pointer_to(pointer, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _personal_faults(item, f"{pointer}/{position}")


def _id_faults(event: Mapping[str, Any], row: EventType | None) -> Iterator[Fault]:
    """Ids that are ten digits beginning with 1 or 2 and are not already personal data by Luhn."""
    paths = [("id",), *(("data", *path) for path in id_paths(row.name))] if row else [("id",)]
    for path in paths:
        for pointer, value in _values_at(event, path, ""):
            if isinstance(value, str) and looks_personal(value) and not holds_personal_data(value):
                sentence = "An id of ten digits from 1 or 2 on looks like a national id."
                yield fault("id-looks-personal", pointer, sentence)


def _values_at(value: Any, path: tuple[str, ...], pointer: str) -> Iterator[tuple[str, Any]]:
    if not path:
        yield pointer, value
    elif path[0] == ANY_ITEM and isinstance(value, list):
        for position, item in enumerate(value):
            yield from _values_at(item, path[1:], f"{pointer}/{position}")
    elif isinstance(value, dict) and path[0] in value:
        yield from _values_at(value[path[0]], path[1:], f"{pointer}/{path[0]}")


def _any_within(found: list[Fault], pointer: str) -> bool:
    return any(is_within(seen.pointer, pointer) for seen in found)
