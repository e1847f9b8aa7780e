"""CloudEvents on Kafka: which mode a record is in, and what its headers say.

`content-type` beginning with `application/cloudevents` means structured mode, anything else (also no header) binary.
In binary mode the value is `data`, `content-type` is `datacontenttype`, and other attributes are headers `ce_<name>`.
Headers without `ce_` and the header `ce_datacontenttype` (one official SDK sends it) are ignored in both modes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from events.pointers import pointer_to
from events.problems import Fault, fault

Headers = Sequence[tuple[str, bytes | None]]

CONTENT_TYPE: Final = "content-type"
_ATTRIBUTE_PREFIX: Final = "ce_"
_IGNORED: Final = "ce_datacontenttype"
_STRUCTURED_PREFIX: Final = b"application/cloudevents"


@dataclass(slots=True)
class HeaderReading:
    """What the headers say. `attributes` are those of binary mode (empty in structured mode)."""

    structured: bool = False
    attributes: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    attribute_bytes: int = 0
    repeated: bool = False


def is_structured(headers: Headers) -> bool:
    """The mode test. The first `content-type` decides."""
    for name, value in headers:
        if name.lower() == CONTENT_TYPE:
            return value is not None and value[: len(_STRUCTURED_PREFIX)].lower() == _STRUCTURED_PREFIX
    return False


def has_attribute_headers(headers: Headers) -> bool:
    """Whether any header could be at fault: in structured mode, only one whose name begins with `ce_`."""
    return any(name.startswith(_ATTRIBUTE_PREFIX) for name, _ in headers)


def read_headers(headers: Headers) -> HeaderReading:
    """Mode, attributes and faults of a record's headers. A header with a null value counts as absent."""
    reading = HeaderReading(structured=is_structured(headers))
    seen_content_type = False
    for name, value in headers:
        if name.lower() == CONTENT_TYPE and not reading.structured and not seen_content_type:
            seen_content_type = True
            _take(reading, "datacontenttype", name, value)
        elif name.startswith(_ATTRIBUTE_PREFIX) and name != _IGNORED:
            _take(reading, name[len(_ATTRIBUTE_PREFIX) :], name, value)
    if reading.structured:
        reading.attributes.clear()
        reading.repeated = False
    return reading


def _take(reading: HeaderReading, attribute: str, name: str, value: bytes | None) -> None:
    if value is None:
        return
    reading.attribute_bytes += len(name.encode("utf-8", "surrogateescape")) + len(value)
    if not _is_utf8(name):
        # A name that is not UTF-8 comes with `surrogateescape`; the pointer is the parent's, the name being the fault.
        reading.faults.append(fault("bad-header", "", "The header is not UTF-8."))
        return
    pointer = pointer_to("", attribute)
    if attribute == "data" and not reading.structured:
        sentence = "Data is carried by the record's value, not by a header."
        reading.faults.append(fault("bad-header", pointer, sentence))
        return
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        reading.faults.append(fault("bad-header", pointer, "The header is not UTF-8."))
        return
    reading.repeated = reading.repeated or attribute in reading.attributes
    reading.attributes[attribute] = text


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)
