"""From a Kafka record to its event, in structured or binary mode (§1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tests.oracle.log import JsonObject
from tests.oracle.personal import has_personal_number
from tests.oracle.reading import BYTES_MAX, DEPTH_MAX, Fault, NotAnInteger, NotJson, integer_of, read, scan

Headers = Sequence[tuple[str, bytes | None]]


def read_record(value: bytes, headers: Headers) -> tuple[JsonObject | list[Fault], list[Fault]]:
    """The event, or what stopped the reading; and the faults of its headers."""
    content_type = next((text for name, text in headers if name.lower() == "content-type"), None) or b""
    structured = content_type.lower().startswith(b"application/cloudevents")
    attributes: JsonObject = {}
    bad: list[Fault] = []
    repeated, size = False, len(value)
    for name, text in _attributes(headers, binary=not structured):
        size += text[0]
        decoded = _decoded(text[1])
        if decoded is None:
            bad.append(("bad-header", f"/{name}"))
        else:
            repeated = repeated or name in attributes
            attributes[name] = decoded
    if structured:
        return read(value), bad
    if not any(text is not None and name.startswith("ce_") for name, text in headers):
        return _stopped("bad-header", value, attributes), []
    if size > BYTES_MAX or repeated:
        return _stopped("too-large" if size > BYTES_MAX else "duplicate-name", value, attributes), bad
    return _with_data(value, attributes), bad


def _attributes(headers: Headers, *, binary: bool) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """Each attribute with the bytes of its header and its value."""
    waiting = binary
    for name, text in headers:
        if text is None:
            continue
        if name.lower() == "content-type" and waiting:
            waiting = False
            yield "datacontenttype", (len(name) + len(text), text)
        elif name.startswith("ce_") and name != "ce_datacontenttype":
            yield name.removeprefix("ce_"), (len(name.encode()) + len(text), text)


def _with_data(value: bytes, attributes: JsonObject) -> JsonObject | list[Fault]:
    try:
        text = value.decode()
        shape = scan(text)
    except UnicodeDecodeError:
        return _stopped("not-utf8", value, attributes)
    except NotJson:
        return _stopped("not-json", value, attributes)
    if shape.repeated_name or shape.depth + 1 > DEPTH_MAX:
        return _stopped("duplicate-name" if shape.repeated_name else "too-deep", value, attributes)
    return {**attributes, "data": json.loads(text, parse_float=NotAnInteger, parse_int=integer_of)}


def _stopped(code: str, value: bytes, attributes: JsonObject) -> list[Fault]:
    texts = [value.decode(errors="replace"), *attributes.values()]
    return [(code, ""), *([("personal-data", "")] if any(map(has_personal_number, texts)) else [])]


def _decoded(text: bytes) -> str | None:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None
