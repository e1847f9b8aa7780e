"""The search of a record for personal data: national ids in texts and names, and ids that look like one.

Nearly every event is settled by one search over its bytes. Only what that cannot settle is searched text by text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from events.faults.findings import Finding, finding
from events.validation.models import Shape
from events.validation.reading import Claim
from events.values.bounds import MEMBERS_MAX
from events.values.json_pointer import is_shown
from events.values.personal_data import (
    bytes_hold_personal_data,
    holds_personal_data,
    looks_personal,
    shows_ten_digits,
)
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.envelope import RECORD_BYTES_MAX
from events.wire.kafka_binding import Headers

_PERSONAL_TEXT: Final = "A national id was found here; remove it."
_PERSONAL_NAME: Final = "A national id was found in a name; remove it."
_LIKE_AN_ID: Final = "Ten digits that begin with 1 or 2 look like a national id; put a letter before them."

_SEQUENCE: Final = re.compile(r"[0-9]{20}")
# A number after a name: a quote that follows a letter ends a text, since one that begins a text follows a bracket, a
# colon or a comma, and one within a text follows a backslash.
_LONG_NUMBER: Final = re.compile(rb'":(?<=[a-z]":)[0-9]{10,}')
_SHORTEST_ID: Final = 10

# In UTF-8 the Arabic-Indic digits are D9 A0…A9 and the Persian ones DB B0…B9. Without their lead bytes, all thirty
# digits become one byte each; so do a few other letters, which can only cause false positives.
_TO_MARK: Final = bytes(
    0x01 if 0x30 <= byte <= 0x39 or 0xA0 <= byte <= 0xA9 or 0xB0 <= byte <= 0xB9 else 0x00 for byte in range(256)
)
_LEAD_BYTES: Final = b"\xd9\xdb"
_TEN_MARKS: Final = b"\x01" * 10

# In ASCII without escapes nothing else is a digit or a letter.
_TO_ASCII_MARK: Final = bytes(
    0x01 if 0x30 <= byte <= 0x39 else 0x02 if byte < 0x80 and chr(byte).isalpha() else 0x00 for byte in range(256)
)
_TEN_MARKS_ALONE: Final = b"\x00" + _TEN_MARKS + b"\x00"


def personal_errors(claim: Claim, shape: Shape, attributes: Mapping[str, str]) -> list[Finding]:
    """The personal data of an event, with its place; of what cannot be read, whether its bytes or attributes hold any.

    A value that is longer than any record of a topic is not searched: a gateway may receive one, and keeps nothing.
    """
    if claim.fault is None:
        event, written = claim.event, claim.written
        if written is not None and not may_be_personal(written, event.get("sequence")):
            return []
        search = _Search()
        search.members(event, shape, "", ends=False)
        return search.findings
    raw = claim.event_bytes
    if len(raw) <= RECORD_BYTES_MAX and bytes_hold_personal_data("\0".join([*attributes.values(), ""]).encode() + raw):
        return [finding("personal-data", "", _PERSONAL_TEXT)]
    return []


def headers_hold_personal_data(headers: Headers) -> bool:
    """Whether any header, even an ignored one, holds personal data."""
    if headers == STRUCTURED_HEADERS or not headers:
        return False
    names, values = zip(*headers, strict=True)
    return holds_personal_data("\0".join(names)) or bytes_hold_personal_data(b"\0".join(filter(None, values)))


def headers_without_personal_data(headers: Headers) -> Headers:
    """The headers that may be kept. A record that was accepted has all of its own attributes among them."""
    if not headers_hold_personal_data(headers):
        return headers
    return [header for header in headers if not headers_hold_personal_data([header])]


def may_be_personal(json_text: bytes, sequence: Any = None) -> bool:
    """Whether a text or name of an event may hold a national id or be ten digits. `json_text` is the event, without
    white space and escapes of letters and digits. It is nearly exact in ASCII without escapes."""
    # From the right: CPython's search from the left takes three times as long here.
    if json_text.isascii() and json_text.find(b"\\") < 0:
        if json_text.translate(_TO_ASCII_MARK).rfind(_TEN_MARKS_ALONE) < 0:
            return False
        return _LONG_NUMBER.sub(b"", json_text).translate(_TO_ASCII_MARK).rfind(_TEN_MARKS_ALONE) >= 0
    # The 20 digits of a sequence are not a run of ten, and removing them from other texts hides none.
    if type(sequence) is str and _SEQUENCE.fullmatch(sequence):
        json_text = json_text.replace(sequence.encode(), b"")
    if json_text.translate(_TO_MARK, _LEAD_BYTES).rfind(_TEN_MARKS) < 0:
        return False
    return _LONG_NUMBER.sub(b"", json_text).translate(_TO_MARK, _LEAD_BYTES).rfind(_TEN_MARKS) >= 0


class _Search:
    """Looks at every text and name, with its place: a pointer, and whether that `ends` at a name that is not shown.

    The shape tells which texts are ids. Of what is beyond a bound, only personal data is a fault.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def members(self, value: Mapping[str, Any], shape: Shape, pointer: str, ends: bool) -> None:
        shapes = (shape.members if len(value) <= MEMBERS_MAX else None) or {}
        for name, item in value.items():
            if name not in shapes and holds_personal_data(name):
                self.findings.append(finding("personal-data", pointer, _PERSONAL_NAME))
            if _is_looked_into(item):
                hidden = ends or not is_shown(name)
                self._part(item, shapes.get(name, _PLAIN), pointer if hidden else f"{pointer}/{name}", hidden)

    def _items(self, value: Sequence[Any], shape: Shape, pointer: str, ends: bool) -> None:
        is_bounded = shape.items_max is None or len(value) <= shape.items_max
        item_shape = (shape.items if is_bounded else None) or _PLAIN
        for position, item in enumerate(value):
            if _is_looked_into(item):
                self._part(item, item_shape, pointer if ends else f"{pointer}/{position}", ends)

    def _part(self, value: Any, shape: Shape, pointer: str, ends: bool) -> None:
        if type(value) is dict:
            self.members(value, shape, pointer, ends)
        elif type(value) is list:
            self._items(value, shape, pointer, ends)
        elif holds_personal_data(value):
            self.findings.append(finding("personal-data", pointer, _PERSONAL_TEXT))
        elif shape.is_id and looks_personal(value):
            self.findings.append(finding("id-looks-personal", pointer, _LIKE_AN_ID))


def _is_looked_into(value: Any) -> bool:
    """Whether a value is a text with ten digits, or a list or an object that is not empty."""
    kind = type(value)
    if kind is str:
        return len(value) >= _SHORTEST_ID and shows_ten_digits(value)
    return (kind is dict or kind is list) and bool(value)


_PLAIN: Final = Shape()
