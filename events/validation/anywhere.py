"""What is forbidden anywhere in a record: huge integers, NUL, lone surrogates, and personal data.

In: a parsed event, or headers. Out: every error of these kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from events.faults.findings import Finding, finding
from events.validation.models import ANY_ITEM, EventForm
from events.validation.models import Path as Pattern
from events.values.json_pointer import UNCLEAN, pointer_of
from events.values.personal_data import bytes_hold_personal_data, holds_personal_data, looks_personal
from events.wire.kafka_binding import Headers
from events.wire.strict_json import BEYOND_RANGE

Path = tuple[str | int, ...]


def errors_anywhere(event: Mapping[str, Any], form: EventForm) -> list[Finding]:
    """These errors of a parsed event, in no order."""
    names, values = list(_names_in(event, ())), list(_values_in(event, ()))
    ids = list(_ids_in(event, form.id_paths))
    found: list[Finding] = []
    for path, name in names:
        if UNCLEAN.search(name):
            sentence = "The name holds NUL or half of a surrogate pair; remove it."
            found.append(finding("invalid-value", pointer_of(path), sentence))
            found.append(finding("unknown-field", pointer_of(path), "Unknown field; remove it or correct its name."))
        if holds_personal_data(name):
            found.append(finding("personal-data", pointer_of(path), "A national id was found in a name; remove it."))
    for path, value in values:
        if isinstance(value, str):
            if UNCLEAN.search(value):
                sentence = "The text holds NUL or half of a surrogate pair; remove it."
                found.append(finding("invalid-value", pointer_of(path), sentence))
            if holds_personal_data(value):
                found.append(finding("personal-data", pointer_of(path), "A national id was found here; remove it."))
        elif isinstance(value, int) and abs(value) == BEYOND_RANGE:
            sentence = "{value} is beyond ±(2^53 − 1); write a whole number within it."
            found.append(finding("number-out-of-range", pointer_of(path), sentence, value=value))
    for path, value in ids:
        if looks_personal(value) and not holds_personal_data(value):
            sentence = "Ten digits that begin with 1 or 2 look like a national id; put a letter before them."
            found.append(finding("id-looks-personal", pointer_of(path), sentence))
    return found


def headers_hold_personal_data(headers: Headers) -> bool:
    """Whether any header, even an ignored one, holds personal data."""
    return any(
        holds_personal_data(name) or (value is not None and bytes_hold_personal_data(value)) for name, value in headers
    )


def _names_in(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every name with the path of its object."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield path, name
            yield from _names_in(item, (*path, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _names_in(item, (*path, position))


def _values_in(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every scalar value with its path."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _values_in(item, (*path, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _values_in(item, (*path, position))
    else:
        yield path, value


def _ids_in(event: Mapping[str, Any], patterns: Iterable[Pattern]) -> Iterator[tuple[Path, str]]:
    """The texts at these paths."""
    for pattern in patterns:
        for path, value in _values_at(event, pattern, ()):
            if isinstance(value, str):
                yield path, value


def _values_at(value: Any, pattern: Pattern, path: Path) -> Iterator[tuple[Path, Any]]:
    if not pattern:
        yield path, value
    elif pattern[0] == ANY_ITEM and isinstance(value, list):
        for position, item in enumerate(value):
            yield from _values_at(item, pattern[1:], (*path, position))
    elif isinstance(value, dict) and pattern[0] in value:
        yield from _values_at(value[pattern[0]], pattern[1:], (*path, pattern[0]))
