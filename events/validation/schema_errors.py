"""What is wrong with the form of an event that could be read: every error, each with its code and pointer.

Flows in: a parsed event. Flows out, in this order: what JSON itself forbids (huge integers, NUL, lone surrogates), what
the models say, the rules over several members, the subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from events.catalogue import EventType
from events.envelope import SCHEMA_URI_PREFIX
from events.findings import Finding, finding
from events.pointers import is_within, name_is_clean, pointer_to
from events.reading import BEYOND_RANGE
from events.validation.model_errors import model_error
from events.validation.models import type_of, validator_of


def errors_in(event: Mapping[str, Any]) -> list[Finding]:
    """All errors of form but for personal data; an attribute that is null counts as absent."""
    row = type_of(event)
    present = {name: value for name, value in event.items() if value is not None}
    found = _without_repeats(list(_json_errors(event, "")), _model_errors(_clean(present), row))
    if row is None and isinstance(present.get("type"), str) and not _any_within(found, "/type"):
        sentence = "{value} is not in the catalogue; use one of its types."
        found.append(finding("unknown-type", "/type", sentence, value=present["type"]))
        found += _dataschema_errors(present)
    if row is not None:
        found += _rule_errors(present, row, found)
        found += _subject_errors(present, row, found)
    return found


def _json_errors(value: Any, pointer: str) -> Iterator[Finding]:
    """What may stand nowhere in an event: integers beyond ±(2⁵³ − 1), NUL, lone surrogates."""
    if isinstance(value, str):
        if not name_is_clean(value):
            sentence = "The text holds NUL or half of a surrogate pair; remove it."
            yield finding("invalid-value", pointer, sentence)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not name_is_clean(name):
                sentence = "The name holds NUL or half of a surrogate pair; remove it."
                yield finding("invalid-value", pointer, sentence)
                yield finding("unknown-field", pointer, "Unknown field; remove it or correct its name.")
            yield from _json_errors(item, pointer_to(pointer, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _json_errors(item, f"{pointer}/{position}")
    elif isinstance(value, int) and abs(value) == BEYOND_RANGE:
        sentence = "{value} is beyond ±(2^53 − 1); write a whole number within it."
        yield finding("number-out-of-range", pointer, sentence, value=value)


def _clean(value: Any) -> Any:
    """The value without members whose names no validator can carry (they are listed by `_json_errors`)."""
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items() if name_is_clean(name)}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _model_errors(event: dict[str, Any], row: EventType | None) -> list[Finding]:
    try:
        validator_of(row.name if row else None).validate_python(event)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=True)
        return [model_error(detail, row) for detail in details]
    return []


def _dataschema_errors(event: Mapping[str, Any]) -> list[Finding]:
    """The `dataschema` of an unknown type, which no model narrows: it must at least be that type's."""
    schema = event.get("dataschema")
    if not isinstance(schema, str) or schema == SCHEMA_URI_PREFIX + event["type"]:
        return []
    sentence, allowed = "{value} is not allowed: {field} is {allowed}.", SCHEMA_URI_PREFIX + "<type>"
    return [finding("invalid-value", "/dataschema", sentence, value=schema, field="dataschema", allowed=allowed)]


def _without_repeats(forbidden: list[Finding], modelled: list[Finding]) -> list[Finding]:
    """One value, one error: what JSON forbids hides what the model says of the same value, but not an unknown name."""
    hidden = {found.pointer for found in forbidden}
    return forbidden + [
        found for found in modelled if found.code in ("unknown-field", "missing-field") or found.pointer not in hidden
    ]


def _rule_errors(event: Mapping[str, Any], row: EventType, found: list[Finding]) -> list[Finding]:
    """Rules over several members, where all that they read is well-formed."""
    data = event.get("data")
    if not row.rules or not isinstance(data, dict):
        return []
    # An error of a member counts as one of what contains it, and the other way round; an unknown name disturbs no rule.
    faulty = [seen.pointer for seen in found if seen.code != "unknown-field"]
    return [
        finding("invalid-value", f"/data{rule.pointer}", rule.detail)
        for rule in row.rules
        if not any(_overlap(f"/data{read}", pointer) for read in rule.reads for pointer in faulty)
        and not rule.holds(data)
    ]


def _overlap(one: str, other: str) -> bool:
    return is_within(one, other) or is_within(other, one)


def _subject_errors(event: Mapping[str, Any], row: EventType, found: list[Finding]) -> list[Finding]:
    """The subject against the data, where the fields that it is made of are well-formed."""
    subject, data = event.get("subject"), event.get("data")
    needed = ["/subject", *(f"/data/{field}" for field in row.subject.fields)]
    if not isinstance(subject, str) or not isinstance(data, dict) or any(_any_within(found, at) for at in needed):
        return []
    due = row.subject.of(data)
    if subject == due:
        return []
    sentence = "{value} is not the subject of this data; write {instead}."
    return [finding("subject-mismatch", "/subject", sentence, value=subject, instead=due)]


def _any_within(found: list[Finding], pointer: str) -> bool:
    return any(is_within(seen.pointer, pointer) for seen in found)
