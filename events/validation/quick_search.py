"""The quick search for national ids over the bytes of canonical JSON: false positives, no false negatives."""

from __future__ import annotations

import re
from typing import Final

from events.values.personal_data import holds_personal_data

_LOOKS_PERSONAL: Final = re.compile(r'"[12][0-9]{9}"')
_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-f]{4}|.)")

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


def may_be_personal(json_text: bytes, sequence: str | None = None) -> bool:
    """Whether a string or name of JSON text may hold a national id or look like one. May be a false positive.

    Its escapes are those of canonical JSON; `sequence` is the event's, if it has one.
    """
    if not is_suspect(json_text, sequence):
        return False
    # Canonical JSON escapes neither letters nor digits.
    text = _ESCAPE.sub(" ", json_text.decode())
    return _LOOKS_PERSONAL.search(text) is not None or holds_personal_data(text)


def is_suspect(json_text: bytes, sequence: str | None = None) -> bool:
    """Whether the UTF-8 bytes of a JSON object or array may show ten digits with no letter or digit beside them.

    Escapes of digits and letters (`\\u0661`) must be resolved. Exact in ASCII without escapes. The 20 digits of an
    event's `sequence` are not a run of ten. Removing the same 20 digits from other texts hides no run of ten.
    """
    if json_text.isascii() and b"\\" not in json_text:
        # From the right: CPython's search from the left takes three times as long here.
        return json_text.translate(_TO_ASCII_MARK).rfind(_TEN_MARKS_ALONE) >= 0
    shown = json_text if sequence is None else json_text.replace(sequence.encode(), b"")
    return _TEN_MARKS in shown.translate(_TO_MARK, _LEAD_BYTES)
