"""The form of a whole event: envelope, data, subject and personal data (§1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from tests.oracle.catalogue import TYPES, TypeRule
from tests.oracle.form import (
    END,
    MEMBERS_MAX,
    has_control,
    is_readable,
    line,
    matching,
    too_many_members,
    unknown_name,
    within,
)
from tests.oracle.log import JsonObject, full_type
from tests.oracle.personal import has_personal_number, looks_personal
from tests.oracle.reading import Fault

FAULTS_MAX = 100
REQUIRED = ("specversion", "id", "source", "type", "subject", "time", "data")
EVENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")
SOURCE = re.compile(r"urn:yesser:agency:[a-z][a-z0-9-]{1,30}\Z")
TIME = re.compile(
    r"([0-9]{4})-([0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])\Z"
)
EXTENSIONS = {
    **dict.fromkeys(("traceparent", "tracestate", "partitionkey", "correlationid", "causationid"), line(256)),
    "sequence": matching(r"(?!0{20})[0-9]{20}"),
    "hijridate": matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}
KNOWN = {*REQUIRED, "datacontenttype", "dataschema", *EXTENSIONS}
RULES = {full_type(name): rule for name, rule in TYPES.items()}


def present(event: JsonObject) -> JsonObject:
    """The event without attributes that are null, which count as absent."""
    return {name: value for name, value in event.items() if value is not None}


def faults_of_form(event: JsonObject, bad_headers: Sequence[Fault] = ()) -> list[Fault]:
    """The faults of form, each once: the first 100 by pointer, then by code. An attribute whose header is bad is not
    missing too."""
    is_beyond = len(event) > MEMBERS_MAX
    faults = [("invalid-value", ""), *personal_data(event, "")] if is_beyond else _faults_of(event)
    bad = {pointer for _, pointer in bad_headers}
    if not is_beyond:
        faults = [*bad_headers, *(fault for fault in faults if fault[0] != "missing-field" or fault[1] not in bad)]
    listed = {(pointer.removesuffix(END), code) for code, pointer in faults}
    return [(code, pointer) for pointer, code in sorted(listed)[:FAULTS_MAX]]


def _faults_of(event: JsonObject) -> list[Fault]:
    attributes = present(event)
    faults = [("missing-field", within("", name)) for name in REQUIRED if name not in attributes]
    for name in attributes:
        faults += _attribute(name, attributes) if name in KNOWN else unknown_name(name, "")
    rule = RULES.get(str(attributes.get("type")))
    if "data" in attributes:
        faults += _data(attributes, rule)
    faults += too_many_members(attributes, "")
    return faults + list(personal_data(event, ""))


def _attribute(name: str, attributes: JsonObject) -> list[Fault]:
    value, pointer = attributes[name], within("", name)
    if name in EXTENSIONS:
        return EXTENSIONS[name](value, pointer)
    if name == "data":
        return []
    if not isinstance(value, str):
        return [("invalid-value", pointer)]
    if name == "id" and EVENT_ID.match(value):
        return [("id-looks-personal", pointer)] if looks_personal(value) else []
    if name == "time":
        return [(code, pointer) for code in _time(value)]
    if name == "type":
        if not is_readable(value):
            return [("invalid-value", pointer)]
        return [] if value in RULES else [("unknown-type", pointer)]
    schema_type = attributes.get("type")
    good = {
        "specversion": value == "1.0",
        "id": False,
        "source": SOURCE.match(value) is not None,
        "subject": value != "" and not has_control(value),
        "datacontenttype": re.match(r"application/json\s*(;|\Z)", value, re.IGNORECASE) is not None,
        "dataschema": not isinstance(schema_type, str) or value == f"urn:yesser:schema:{schema_type}",
    }
    return [] if good[name] else [("invalid-value", pointer)]


def _time(value: str) -> list[str]:
    parts = TIME.match(value)
    if parts is None:
        return ["invalid-value"]
    try:
        datetime.fromisoformat(f"{parts[1]}-{parts[2]}T{parts[3]}+00:00")
    except ValueError:
        return ["invalid-value"]
    return [] if 1925 <= int(parts[1]) <= 2077 else ["date-out-of-range"]


def _data(attributes: JsonObject, rule: TypeRule | None) -> list[Fault]:
    data, subject = attributes["data"], attributes.get("subject")
    if not isinstance(data, dict):
        return [("invalid-value", "/data")]
    if rule is None or len(data) > MEMBERS_MAX:
        return []
    faults = rule.data(data, "/data")
    faulty = {pointer for code, pointer in faults if code != "id-looks-personal"}
    readable = isinstance(subject, str) and subject != "" and not has_control(subject)
    comparable = readable and not any(within("/data", name) in faulty for name in rule.subject_fields)
    if rule.subject and comparable and subject != rule.subject_of(data):
        faults.append(("subject-mismatch", "/subject"))
    return faults


def personal_data(value: object, pointer: str) -> Iterator[Fault]:
    """National ids in every string and every name."""
    if isinstance(value, str):
        if has_personal_number(value):
            yield "personal-data", pointer
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from personal_data(item, within(pointer, number))
    elif isinstance(value, dict):
        for name, member in value.items():
            if has_personal_number(name):
                yield "personal-data", pointer
            yield from personal_data(member, within(pointer, name))
