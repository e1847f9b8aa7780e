"""CloudEvents on Kafka: a record's mode and its header attributes.

`content-type` beginning with `application/cloudevents` means structured mode, anything else (also no header) binary.
In binary mode the value is `data`, `content-type` is `datacontenttype`, and other attributes are headers `ce_<name>`.
Headers without `ce_` and the header `ce_datacontenttype` (one official SDK sends it) are ignored in both modes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from events.faults.findings import Finding, finding
from events.values.json_pointer import pointer_of
from events.wire.codec import STRUCTURED_HEADERS

Headers = Sequence[tuple[str, bytes | None]]

CONTENT_TYPE: Final = "content-type"
_ATTRIBUTE_PREFIX: Final = "ce_"
_IGNORED: Final = "ce_datacontenttype"
_NOT_DECODED: Final = re.compile("[\ud800-\udfff]")
_STRUCTURED_PREFIX: Final = b"application/cloudevents"


@dataclass(frozen=True, slots=True)
class HeaderReading:
    """A record's headers. `attributes` are those of binary mode (none in structured mode); `repeated` is one that
    occurs twice; `attribute_bytes` is what they add to the size of a binary event.

    `is_unmarked`: no header says that the record is an event, in either mode.
    """

    structured: bool
    attributes: Mapping[str, str] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    attribute_bytes: int = 0
    repeated: str | None = None
    is_unmarked: bool = False


_USUAL_HEADERS: Final = tuple(STRUCTURED_HEADERS)
_USUAL: Final = HeaderReading(structured=True)


def is_structured(headers: Headers) -> bool:
    """Whether the record is in structured mode. The first `content-type` decides."""
    for name, value in headers:
        if name.lower() == CONTENT_TYPE:
            return value is not None and value[: len(_STRUCTURED_PREFIX)].lower() == _STRUCTURED_PREFIX
    return False


def read_headers(headers: Headers) -> HeaderReading:
    """Mode, attributes and faults of a record's headers. A header with a null value counts as absent."""
    if tuple(headers) == _USUAL_HEADERS:
        return _USUAL
    structured = is_structured(headers)
    attributes: dict[str, str] = {}
    findings: list[Finding] = []
    size, repeated = 0, None
    for attribute, name, value in _attribute_headers(headers, structured):
        size += len(name.encode("utf-8", "surrogateescape")) + len(value)
        if attribute == "data" and not structured:
            sentence = "A header cannot carry data; send it as the record's value."
            findings.append(finding("bad-header", "/data", sentence))
            continue
        text = _text_of(value) if _is_utf8(name) else None
        if text is None:
            # The parent's pointer where the name is the fault.
            pointer = pointer_of([attribute]) if _is_utf8(name) else ""
            findings.append(finding("bad-header", pointer, "The header is not UTF-8; write it as UTF-8."))
            continue
        if repeated is None and attribute in attributes:
            repeated = attribute
        attributes[attribute] = text
    if structured:
        return HeaderReading(structured=True, findings=findings)
    is_unmarked = not any(value is not None and name.startswith(_ATTRIBUTE_PREFIX) for name, value in headers)
    return HeaderReading(False, attributes, findings, size, repeated, is_unmarked)


def _attribute_headers(headers: Headers, structured: bool) -> Iterator[tuple[str, str, bytes]]:
    """Attribute, header name and value of each header that carries one."""
    seen_content_type = structured
    for name, value in headers:
        if name.lower() == CONTENT_TYPE and not seen_content_type:
            seen_content_type = True
            attribute = "datacontenttype"
        elif name.startswith(_ATTRIBUTE_PREFIX) and name != _IGNORED:
            attribute = name[len(_ATTRIBUTE_PREFIX) :]
        else:
            continue
        if value is not None:
            yield attribute, name, value


def _text_of(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_utf8(name: str) -> bool:
    """Whether a header's name was UTF-8: other bytes are decoded as `surrogateescape`."""
    return name.isascii() or _NOT_DECODED.search(name) is None
