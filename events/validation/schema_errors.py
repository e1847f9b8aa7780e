"""Every error of form of a parsed event, with its code and pointer: those of the walk, of its model, of the rules over
several members, and of the subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from events.faults.findings import Finding, finding
from events.faults.model_errors import FORMS, model_error, pattern_error
from events.faults.nearest import ONE_IN_EIGHT, nearest
from events.types.catalogue import CATALOGUE, EventType
from events.validation.forms import EventForm
from events.validation.models import numbers_allowed
from events.validation.walk import Walked
from events.wire.envelope import (
    CONTENT_TYPE_PATTERN,
    EVENT_ID_PATTERN,
    EXTENSION_PATTERN,
    HIJRI_DATE_PATTERN,
    SCHEMA_URI_PREFIX,
    SEQUENCE_PATTERN,
    SOURCE_PATTERN,
    full_type,
    short_type,
)
from events.wire.strict_json import JsonObject

_FORMS: Final[Mapping[str, str]] = {
    **FORMS,
    EVENT_ID_PATTERN: "1–128 of A–Z a–z 0–9 . _ : -, the first a letter or digit",
    SOURCE_PATTERN: "urn:yesser:agency: and the agency's code",
    EXTENSION_PATTERN: "text without control characters",
    SEQUENCE_PATTERN: "20 digits 0–9 from 1 on, with zeros in front",
    HIJRI_DATE_PATTERN: "a Hijri date YYYY-MM-DD",
    CONTENT_TYPE_PATTERN: "application/json",
}


def errors_in(walked: Walked, form: EventForm, in_headers: Sequence[Finding]) -> list[Finding]:
    """All errors of form of an event that was walked. An attribute whose header is bad is not also missing."""
    found, faulty, present = walked
    if present is None:
        return found
    modelled = [error for error in _model_errors(present, form) if error.pointer not in faulty]
    found = [*in_headers, *found, *modelled]
    disturbed = _Places([*faulty, *[error.pointer for error in modelled]])
    if form.row is not None:
        found += _rule_errors(present, form.row, disturbed)
        found += _subject_errors(present, form.row, disturbed)
    elif isinstance(present.get("type"), str) and not disturbed.touch("/type"):
        found.append(_unknown_type(present["type"]))
        found += _dataschema_errors(present)
    bad = {error.pointer for error in in_headers}
    return [error for error in found if error.code != "missing-field" or error.pointer not in bad]


def _unknown_type(name: str) -> Finding:
    if (meant := nearest(short_type(name), CATALOGUE, ONE_IN_EIGHT)) is not None:
        sentence = "{value} is not in the catalogue; use {due} or another of its types."
        return finding("unknown-type", "/type", sentence, value=name, due=full_type(meant))
    return finding("unknown-type", "/type", "{value} is not in the catalogue; use one of its types.", value=name)


class _Places:
    """Pointers of faulty members, to be asked for others."""

    def __init__(self, pointers: Sequence[str]) -> None:
        self._faulty = set(pointers)
        self._above: set[str] = set()
        for pointer in pointers:
            while pointer and (pointer := pointer.rpartition("/")[0]) not in self._above:
                self._above.add(pointer)

    def touch(self, pointer: str) -> bool:
        """Whether one of them is at this pointer, below it, or above it."""
        if pointer in self._faulty or pointer in self._above:
            return True
        while pointer:
            pointer = pointer.rpartition("/")[0]
            if pointer in self._faulty:
                return True
        return False


def _model_errors(event: JsonObject, form: EventForm) -> list[Finding]:
    try:
        form.validate(event)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=True)
        return [_model_error(detail, form.row) for detail in details]
    return []


def _model_error(detail: ErrorDetails, row: EventType | None) -> Finding:
    location, kind = detail["loc"], detail["type"]
    if location == ("sequence",) and kind in ("string_too_short", "string_too_long"):  # what a user counts is digits
        return pattern_error("/sequence", "sequence", detail["input"], SEQUENCE_PATTERN, _FORMS)
    is_bounded = row is not None and kind in ("greater_than_equal", "less_than_equal")
    return model_error(detail, numbers_allowed(row.name, location) if row and is_bounded else None, _FORMS)


def _dataschema_errors(event: Mapping[str, Any]) -> list[Finding]:
    """The `dataschema` of an unknown type, which no model checks: it must be that type's."""
    schema = event.get("dataschema")
    if not isinstance(schema, str) or schema == SCHEMA_URI_PREFIX + event["type"]:
        return []
    sentence, allowed = "{value} is not allowed: {field} is {allowed}.", SCHEMA_URI_PREFIX + "<type>"
    return [finding("invalid-value", "/dataschema", sentence, value=schema, field="dataschema", allowed=allowed)]


def _rule_errors(event: Mapping[str, Any], row: EventType, disturbed: _Places) -> list[Finding]:
    """Rules over several members, where everything that they read is well-formed."""
    data = event.get("data")
    if not isinstance(data, dict):
        return []
    return [
        finding("invalid-value", f"/data{rule.pointer}", rule.detail)
        for rule in row.rules
        if not any(disturbed.touch(f"/data{read}") for read in rule.reads) and not rule.holds(data)
    ]


def _subject_errors(event: Mapping[str, Any], row: EventType, disturbed: _Places) -> list[Finding]:
    """The subject compared with the data, where the fields that it is derived from are well-formed."""
    subject, data = event.get("subject"), event.get("data")
    needed = ["/subject", *(f"/data/{field}" for field in row.subject.fields)]
    if not isinstance(subject, str) or not isinstance(data, dict) or any(map(disturbed.touch, needed)):
        return []
    due = row.subject.of(data)
    if subject == due:
        return []
    sentence = "{value} is not the subject of this data; write {instead}."
    return [finding("subject-mismatch", "/subject", sentence, value=subject, instead=due)]
