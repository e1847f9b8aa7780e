"""Personal data in a record: in the event that could be read, else in its bytes; and in headers that would be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from events.findings import Finding, finding
from events.kafka_mode import HeaderReading, Headers
from events.personal import bytes_hold_personal_data, holds_personal_data, looks_personal
from events.pointers import pointer_to
from events.validation.models import ANY_ITEM, id_paths, type_of


class PersonalErrors(NamedTuple):
    """`may_keep`: nothing personal was found, not even in a header that says nothing."""

    errors: list[Finding]
    may_keep: bool


def personal_errors(
    value: bytes | None, event: Mapping[str, Any] | None, reading: HeaderReading, headers: Headers
) -> PersonalErrors:
    """What is personal, or looks so, in a record. `event` is None where it could not be read."""
    errors = list(_in_bytes(value or b"", reading) if event is None else chain(_in_value(event, ""), _in_ids(event)))
    is_personal = any(found.code == "personal-data" for found in errors)
    return PersonalErrors(errors, not is_personal and not _in_headers(headers))


def _in_bytes(value: bytes, reading: HeaderReading) -> Iterator[Finding]:
    if bytes_hold_personal_data(value) or any(map(holds_personal_data, reading.attributes.values())):
        yield finding("personal-data", "", "A national id was found here; remove it.")


def _in_value(value: Any, pointer: str) -> Iterator[Finding]:
    if isinstance(value, str):
        if holds_personal_data(value):
            yield finding("personal-data", pointer, "A national id was found here; remove it.")
    elif isinstance(value, dict):
        for name, item in value.items():
            if holds_personal_data(name):
                yield finding("personal-data", pointer, "A national id was found in a name; remove it.")
            yield from _in_value(item, pointer_to(pointer, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _in_value(item, f"{pointer}/{position}")


def _in_ids(event: Mapping[str, Any]) -> Iterator[Finding]:
    """Ids that are ten digits beginning with 1 or 2 and are not already personal data by Luhn."""
    row = type_of(event)
    paths = [("id",), *(("data", *path) for path in id_paths(row.name))] if row else [("id",)]
    for path in paths:
        for pointer, value in _values_at(event, path, ""):
            if isinstance(value, str) and looks_personal(value) and not holds_personal_data(value):
                sentence = "Ten digits that begin with 1 or 2 look like a national id; put a letter before them."
                yield finding("id-looks-personal", pointer, sentence)


def _in_headers(headers: Headers) -> bool:
    """Whether any header, even an ignored one, may not be kept."""
    return any(
        holds_personal_data(name) or (value is not None and bytes_hold_personal_data(value)) for name, value in headers
    )


def _values_at(value: Any, path: tuple[str, ...], pointer: str) -> Iterator[tuple[str, Any]]:
    if not path:
        yield pointer, value
    elif path[0] == ANY_ITEM and isinstance(value, list):
        for position, item in enumerate(value):
            yield from _values_at(item, path[1:], f"{pointer}/{position}")
    elif isinstance(value, dict) and path[0] in value:
        yield from _values_at(value[path[0]], path[1:], f"{pointer}/{path[0]}")
