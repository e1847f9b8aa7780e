"""Every error of form of a parsed event, with its code and pointer.

In: a parsed event and the errors of `anywhere`. Out: the errors of its model, of the rules over several members, and
of the subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from events.faults.findings import Finding, finding
from events.types.catalogue import EventType
from events.validation.model_errors import model_error
from events.validation.models import EventForm
from events.values.json_pointer import UNCLEAN, is_within
from events.wire.envelope import SCHEMA_URI_PREFIX

_PERSONAL: Final = frozenset({"personal-data", "id-looks-personal"})


def errors_in(
    event: Mapping[str, Any], form: EventForm, elsewhere: Sequence[Finding], in_headers: Sequence[Finding]
) -> list[Finding]:
    """All errors of form. A null attribute counts as absent.

    `elsewhere` are the errors of `errors_anywhere`: they hide the model's error of the same value. An attribute whose
    header is bad is not also missing.
    """
    present = {name: value for name, value in event.items() if value is not None}
    forbidden = [error for error in elsewhere if error.code not in _PERSONAL]
    found = forbidden + _without_repeats(_model_errors(_clean(present), form), forbidden)
    if form.row is not None:
        found += _rule_errors(present, form.row, found)
        found += _subject_errors(present, form.row, found)
    elif isinstance(present.get("type"), str) and not _any_within(found, "/type"):
        sentence = "{value} is not in the catalogue; use one of its types."
        found.append(finding("unknown-type", "/type", sentence, value=present["type"]))
        found += _dataschema_errors(present)
    bad = {error.pointer for error in in_headers}
    return [error for error in found if error.code != "missing-field" or error.pointer not in bad]


def _clean(value: Any) -> Any:
    """The value without members whose names a validator cannot hold."""
    if isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items() if not UNCLEAN.search(name)}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _model_errors(event: dict[str, Any], form: EventForm) -> list[Finding]:
    try:
        form.validator.validate_python(event)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True, include_input=True)
        return [model_error(detail, form.row) for detail in details]
    return []


def _dataschema_errors(event: Mapping[str, Any]) -> list[Finding]:
    """The `dataschema` of an unknown type, which no model checks: it must be that type's."""
    schema = event.get("dataschema")
    if not isinstance(schema, str) or schema == SCHEMA_URI_PREFIX + event["type"]:
        return []
    sentence, allowed = "{value} is not allowed: {field} is {allowed}.", SCHEMA_URI_PREFIX + "<type>"
    return [finding("invalid-value", "/dataschema", sentence, value=schema, field="dataschema", allowed=allowed)]


def _without_repeats(modelled: list[Finding], forbidden: list[Finding]) -> list[Finding]:
    """One error per value; errors of unknown or missing names stay."""
    hidden = {found.pointer for found in forbidden}
    return [
        found for found in modelled if found.code in ("unknown-field", "missing-field") or found.pointer not in hidden
    ]


def _rule_errors(event: Mapping[str, Any], row: EventType, found: list[Finding]) -> list[Finding]:
    """Rules over several members, where everything that they read is well-formed."""
    data = event.get("data")
    if not row.rules or not isinstance(data, dict):
        return []
    # An error of a member counts for its parents and its children; an unknown name disturbs no rule.
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
    """The subject compared with the data, where the fields that it is derived from are well-formed."""
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
